"""A small PAM client, and many of it on two hosts at the same moment.

login SERVICE USER       one login by the environment's password and code: authenticate and acct_mgmt. Exit 0, or the
                         PAM code of what refused, which is printed. Makes the file $asked when the code is asked for,
                         and waits for the file $go, if they are set.
make DIR TOTP HOTP BASE  DIR/plan for so many rounds of each kind, and their people and tokens as LDIF on stdout
race DIR HOST            both hosts at once: every round's code at the same instant on both (DIR is of both)
judge DIR                what came of it: exactly one success in each round

The hosts share the machine's memory and clock, so the barrier is a page that both have mapped: whoever asks for the
code of a round waits there for the other host; host a then names code and instant.
"""
import base64
import ctypes
import hashlib
import hmac
import json
import mmap
import os
import secrets
import struct
import sys
import time

libc = ctypes.CDLL(None)
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
libc.strdup.argtypes = [ctypes.c_char_p]
libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
pam = ctypes.CDLL("libpam.so.0")
pam.pam_set_item.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
AUTH_ERR, FAIL_DELAY = 7, 10
# The two seconds that libpam would sleep after a refusal: an application may do its own waiting (pam_fail_delay(3)).
NO_DELAY = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)(lambda *_: None)


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


ASK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)),
                       ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = [("ask", ASK), ("data", ctypes.c_void_p)]


def login(service, user, password, code):
    """The PAM code that it ended with, 0 for one who is in. code() is called when the code is asked for."""
    def ask(count, messages, responses, _):
        answers = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
        for i in range(count):
            if messages[i].contents.style in (1, 2):
                text = messages[i].contents.text
                answers[i].text = libc.strdup((code() if b"code" in text else password).encode())
        responses[0] = ctypes.cast(answers, ctypes.c_void_p).value
        return 0

    handle = ctypes.c_void_p()
    conversation = Conversation(ASK(ask), None)
    r = pam.pam_start(service.encode(), user.encode(), ctypes.byref(conversation), ctypes.byref(handle))
    if r == 0:
        pam.pam_set_item(handle, FAIL_DELAY, ctypes.cast(NO_DELAY, ctypes.c_void_p))
        r = pam.pam_authenticate(handle, 0) or pam.pam_acct_mgmt(handle, 0)
        pam.pam_end(handle, r)
    return r


def code_of(secret, factor):
    digest = hmac.new(secret, struct.pack(">Q", factor), hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff) % 10**6)


# ---- who ----
LANES = 12              # logins at a time on each host
TOTP_ROUNDS = 5         # of a person: with totp-window = 2 so many steps are good at the same time
HOTP_ROUNDS = 25
STEP = 30
SLOT = 32               # bytes of a round on the page: arrived a and b, result a and b, named; factor, instant


def entries(name, number, kind, secret, base):
    link = "oath%sToken" % kind.upper()
    dn, token = "uid=%s,ou=people,%s" % (name, base), "cn=%s,ou=tokens,%s" % (name, base)
    moving = "oathTOTPTimeStepPeriod: %d" % STEP if kind == "totp" else "oathHOTPCounter: 0\noathHOTPLookAhead: 10"
    print(f"""dn: {token}
objectClass: device
objectClass: {link}
objectClass: oath{kind.upper()}Params
cn: {name}
oathTokenSerialNumber: {name}
owner: {dn}
oath{kind.upper()}Params: {token}
oathOTPLength: 6
oathHMACAlgorithm: 1.2.840.113549.2.7
{moving}
oathSecret:: {base64.b64encode(secret).decode()}

dn: {dn}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: oath{kind.upper()}User
uid: {name}
cn: {name}
sn: {name}
uidNumber: {number}
gidNumber: {number}
homeDirectory: /home/{name}
employeeType: employee
userPassword: {name}-password
{link}: {token}
""")


def make(folder, totp, hotp, base):
    lanes, at, people = [[] for _ in range(LANES)], 0, []
    for kind, total, each in (("totp", totp, TOTP_ROUNDS), ("hotp", hotp, HOTP_ROUNDS)):
        for n in range(0, total, each):
            secret = secrets.token_bytes(20)
            name, rounds = "%s%d" % (kind, n // each), min(each, total - n)
            entries(name, 20000 + len(people), kind, secret, base)
            min(lanes, key=lambda lane: sum(p["rounds"] for p in lane)).append(
                {"name": name, "kind": kind, "secret": secret.hex(), "at": at, "rounds": rounds})
            people.append(name)
            at += rounds
    for group in ("web", "db"):
        print("dn: cn=%s,ou=hosts,%s\nchangetype: modify\nadd: member" % (group, base))
        print("\n".join("member: uid=%s,ou=people,%s" % (name, base) for name in people), end="\n\n")
    with open(folder + "/plan", "w") as plan:
        json.dump(lanes, plan)
    with open(folder + "/page", "wb") as page:
        page.truncate(at * SLOT)


# ---- at the same moment ----
class Round:
    def __init__(self, page, index, host):
        self.page, self.base, self.host = page, index * SLOT, host

    def wait(self, offset):
        end = time.monotonic() + 30
        while not self.page[self.base + offset]:
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(.0003)

    def meet(self, name):
        """The factor of this round, at the instant that both of them leave. name() says it, on host a."""
        self.page[self.base + self.host] = 1
        if self.host == 0:
            self.wait(1)
            struct.pack_into("=QQ", self.page, self.base + 8, name(), time.time_ns() + 2000000)
            self.page[self.base + 4] = 1
        self.wait(4)
        factor, instant = struct.unpack_from("=QQ", self.page, self.base + 8)
        time.sleep(max(0, instant - time.time_ns() - 500000) / 1e9)
        while time.time_ns() < instant:
            pass
        return factor

    def end(self, r):
        self.page[self.base + 2 + self.host] = 1 if r == 0 else 2 if r == AUTH_ERR else 3


def totp_step(last):
    """The oldest step after last that will be good for some seconds yet; waits until there is one."""
    while True:
        now = time.time()
        step = max(last + 1, int(now + 6) // STEP - 2)
        if step <= int(now) // STEP + 2:
            return step
        time.sleep(.1)


def run_lane(lane, page, host):
    for person in lane:
        secret, last = bytes.fromhex(person["secret"]), -1
        for n in range(person["rounds"]):
            here = Round(page, person["at"] + n, host)
            used = []

            def code():
                used.append(here.meet(lambda: totp_step(last) if person["kind"] == "totp" else n))
                return code_of(secret, used[0])

            here.end(login("sshd", person["name"], person["name"] + "-password", code))
            last = used[0] if used else last


def open_page(folder):
    with open(folder + "/page", "r+b") as f:
        return mmap.mmap(f.fileno(), 0)


def race(folder, host):
    with open(folder + "/plan") as plan:
        lanes = json.load(plan)
    page, rc, start = open_page(folder), 0, time.monotonic()
    for lane in lanes:
        if os.fork() == 0:
            try:
                run_lane(lane, page, "ab".index(host))
            except BaseException as e:
                print("lane:", repr(e))
                os._exit(1)
            os._exit(0)
    for _ in lanes:
        rc |= os.wait()[1]
    print("%.1f s" % (time.monotonic() - start))
    return rc != 0


def judge(folder):
    with open(folder + "/plan") as plan:
        people = [p for lane in json.load(plan) for p in lane]
    page, bad, won = open_page(folder), 0, {"totp": [0, 0], "hotp": [0, 0]}
    for p in people:
        for n in range(p["rounds"]):
            results = [page[(p["at"] + n) * SLOT + 2 + host] for host in (0, 1)]
            if sorted(results) == [1, 2]:
                won[p["kind"]][results.index(1)] += 1
            else:
                words = ["nothing", "let in", "refused", "another end"]
                print("%s, round %d: a %s, b %s" % (p["name"], n, words[results[0]], words[results[1]]))
                bad += 1
    for kind, (a, b) in won.items():
        print("%s: a %d, b %d" % (kind, a, b))
        with open("%s/%s" % (folder, kind), "w") as f:
            f.write("%d %d\n" % (a, b))
    return bad != 0


def main(command, *args):
    if command == "login":
        def code():
            if "asked" in os.environ:
                open(os.environ["asked"], "w").close()
            while not os.path.exists(os.environ.get("go", "/")):
                time.sleep(.005)
            return os.environ["code"]

        r = login(args[0], args[1], os.environ["password"], code)
        print(r)
        return r
    if command == "make":
        return make(args[0], int(args[1]), int(args[2]), args[3])
    return {"race": race, "judge": judge}[command](*args)


sys.exit(main(*sys.argv[1:]))
