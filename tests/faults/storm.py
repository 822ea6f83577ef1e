"""Faults between ismsd and a real slapd, one after the other, and whether the host gets over each: storm.py COMMAND ...

fill                            60 people and two groups, into the directory
run FAULTS SECONDS SEED         so many faults, and more while there is time; prints "made N STEP / WAY" for each kind
alone FAULTS                    cuts that nobody helps with: the host waits as long as it waits

The host is told of several names for the same place, so that it tries again at once; every 40 faults it gets other
settings and begins anew. Then, and at the end, its replica must be what the server shows to it, and lookups must say that:
else "differs: ..." and exit 1. Meanwhile the directory changes all the time. watch.py looks whether anybody is missed.
"""
import glob
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]
from ber import boolean, message, number, parse, take, text, tlv
from between import STARTTLS, STEPS, TLS, Plan, listen

BASE = "dc=example,dc=com"
PEOPLE, GROUP = ["s%02d" % n for n in range(60)], "cn=staff-people,ou=groups," + BASE
CLASSES = ("posixAccount", "posixGroup", "groupOfNames", "groupOfMembers")
COMPARED = ("objectclass", "entryuuid", "uid", "cn", "uidnumber", "gidnumber", "homedirectory", "loginshell", "employeetype",
            "member", "shadowexpire")
SHOWN = ("uidnumber", "gidnumber", "homedirectory", "loginshell")
BATCH = 40
SETTINGS = "/etc/isms/conf.d/storm.conf"
REPLICA = "/var/lib/isms/replica/"


def dn(name):
    return "uid=%s,ou=people,%s" % (name, BASE)


def plain_group(n):
    return "cn=plain%d,ou=groups,%s" % (n, BASE)


# ---- a client ------------------------------------------------------------------------------------
class Ldap:
    """One operation after the other; what the server refuses is an error."""

    def __init__(self, address, user=None, password=""):
        self.socket = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
        self.socket.connect(address)
        self.data, self.last = b"", 0
        choice = tlv(0x80, password) if user else tlv(0xa3, text("EXTERNAL"), text(""))
        self.ask(tlv(0x60, number(3), text(user or ""), choice))

    def ask(self, op, allowed=(0,)):
        """The answers of an operation; the last one is its result."""
        self.last += 1
        self.socket.sendall(message(self.last, op))
        answers = []
        while True:
            while not (found := take(self.data)):
                more = self.socket.recv(65536)
                if not more:
                    raise ConnectionError("slapd has gone")
                self.data += more
            self.data = self.data[len(found[0]):]
            answers.append((found[2], parse(parse(found[0])[0][1])[1][1]))
            if found[2] not in (0x64, 0x73, 0x79):
                code = parse(answers[-1][1])[0][1][0]
                if code not in allowed:
                    raise ValueError("result %d: %s" % (code, answers[-1][1]))
                return answers

    @staticmethod
    def attribute(name, values):
        return tlv(0x30, text(name), tlv(0x31, *map(text, values)))

    def add(self, entry, attributes):
        self.ask(tlv(0x68, text(entry), tlv(0x30, *(self.attribute(*a) for a in attributes.items()))))

    def delete(self, entry):
        self.ask(tlv(0x4a, entry))

    def modify(self, entry, operation, name, values):       # 0 add, 1 delete, 2 replace; 16, 20: so it is already
        change = tlv(0x30, number(operation, 10), self.attribute(name, values))
        self.ask(tlv(0x66, text(entry), tlv(0x30, change)), (0, 16, 20))

    def everything(self):
        """What a host asks for: {DN: {attribute: values}}."""
        wanted = tlv(0xa1, *(tlv(0xa3, text("objectClass"), text(c)) for c in CLASSES))
        op = tlv(0x63, text(BASE), number(2, 10), number(0, 10), number(0), number(0), boolean(False), wanted,
                 tlv(0x30, *map(text, COMPARED)))
        found = {}
        for tag, body in self.ask(op)[:-1]:
            if tag == 0x64:
                name, attributes = parse(body)
                found[name[1].decode()] = {
                    a[0][1].decode().lower(): sorted(v for _, v in parse(a[1][1]))
                    for a in (parse(b) for _, b in parse(attributes[1]))}
        return found


def as_root():
    return Ldap("/run/slapd/ldapi")


def as_host():
    return Ldap(("127.0.0.1", 389), "cn=web1,ou=hosts," + BASE, "web1-password")


def person(name, uid):
    return {"objectClass": ["inetOrgPerson", "posixAccount", "shadowAccount"], "uid": [name], "cn": [name], "sn": [name],
            "uidNumber": [str(uid)], "gidNumber": ["5000"], "homeDirectory": ["/home/" + name], "loginShell": ["/bin/bash"],
            "employeeType": ["employee"]}


def fill():
    root = as_root()
    for n, name in enumerate(PEOPLE):
        root.add(dn(name), person(name, 3000 + n))
    root.add("cn=people,ou=groups," + BASE, {"objectClass": ["groupOfNames", "posixGroup"], "cn": ["people"],
                                             "gidNumber": ["5000"], "member": [dn(PEOPLE[0])]})
    root.add(GROUP, {"objectClass": ["groupOfNames", "posixGroup"], "cn": ["staff-people"], "gidNumber": ["4000"],
                     "member": [dn(p) for p in PEOPLE[:20]]})


class Changes(threading.Thread):
    """The directory changes, but for a pause."""

    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random, self.root, self.count, self.lock = random.Random(seed), as_root(), 0, threading.Lock()
        self.groups, self.guests, self.next_guest = 0, 0, 0.0

    def change(self):
        who, what = self.random.choice(PEOPLE), self.random.random()
        if time.monotonic() > self.next_guest:      # not often: a mass change would wait for a person
            self.next_guest = time.monotonic() + 14
            if self.guests:
                self.root.delete(dn("g%d" % self.guests))
            self.guests += 1
            self.root.add(dn("g%d" % self.guests), person("g%d" % self.guests, 3500 + self.guests))
        elif what < .2:                             # no users, so there may be many of these
            self.groups += 1
            self.root.add(plain_group(self.groups), {"objectClass": ["groupOfNames"], "member": [dn(who)]})
            if self.groups > 1:
                self.root.delete(plain_group(self.groups - 1))
        elif what < .7:
            self.root.modify(dn(who), 2, "loginShell", [self.random.choice(("/bin/bash", "/bin/sh"))])
        elif what < .85:
            self.root.modify(dn(who), 2, "shadowExpire", [self.random.choice(("1", "30000", "-1"))])
        else:
            self.root.modify(GROUP, self.random.choice((0, 1)), "member", [dn(self.random.choice(PEOPLE[1:]))])
        self.count += 1

    def run(self):
        while True:
            with self.lock:
                self.change()
            time.sleep(.03)


# ---- what the host has ---------------------------------------------------------------------------
def names():
    """Names of attributes by their numbers."""
    with open(os.path.join(HERE, "..", "..", "common", "attributes.def")) as table:
        return {int(n): name for n, name in re.findall(r'^ATTRIBUTE\((\d+), "(\w+)"\)', table.read(), re.M)}


def varint(data):
    n = shift = 0
    for at, byte in enumerate(data):
        n |= (byte & 0x7f) << shift
        if byte < 0x80:
            return n, data[at + 1:]
        shift += 7
    raise ValueError("a number without an end")


def chunk(data):
    size, data = varint(data)
    return data[:size], data[size:]


def replica():
    """The entries of the store as it lies there: a mark, then a block (daemon/entry_pack.c)."""
    known = names()
    with tempfile.TemporaryDirectory() as copy:
        for path in glob.glob(REPLICA + "replica.db*"):
            shutil.copy(path, copy)
        found = {}
        with sqlite3.connect(copy + "/replica.db") as db:
            for body, in db.execute("SELECT body FROM packed"):
                name, body = chunk(body[8 + 1:])
                attributes = {}
                while body:
                    key, body = varint(body)
                    if key == 0:
                        key, body = chunk(body)
                    key = known[key] if isinstance(key, int) else key.decode()
                    count, body = varint(body)
                    values = []
                    for _ in range(count):
                        value, body = chunk(body)
                        values.append(value)
                    if key.lower() in COMPARED:
                        attributes[key.lower()] = sorted(values)
                found[name.decode()] = attributes
        return found


def looked_up(kind):
    out = subprocess.run(["getent", kind], capture_output=True, text=True).stdout
    lines = (line.split(":") for line in out.splitlines())
    return {f[0]: f for f in lines if 1000 <= int(f[2]) < 6000}


def difference(server):
    """How the host's view is not the server's; None: it is the same."""
    try:
        there = replica()
    except sqlite3.Error as e:
        return "the store: %s" % e
    for name in sorted(set(server) | set(there)):
        x, y = server.get(name, {}), there.get(name, {})
        for a in COMPARED:
            more, less = (sorted(set(m.get(a, [])) - set(n.get(a, []))) for m, n in ((x, y), (y, x)))
            if more or less:
                return "%s: the server alone has %s %s, the replica alone %s" % (name, a, more, less)
    people = {a["uid"][0].decode(): a for a in server.values() if b"posixAccount" in a["objectclass"]}
    seen = looked_up("passwd")
    for name in sorted(set(people) | {n for n in seen if n[0] in "sg"}):
        want = people.get(name) and [people[name][a][0].decode() for a in SHOWN]
        got = seen.get(name) and [seen[name][i] for i in (2, 3, 5, 6)]
        if want != got:
            return "%s is %s, lookups say %s" % (name, want, got)
    members = sorted(m.decode().split(",")[0][4:] for m in server[GROUP]["member"])
    if sorted(looked_up("group")["staff-people"][3].split(",")) != members:
        return "members: %s, lookups say %s" % (members, looked_up("group")["staff-people"][3])
    return None


def give_up(what):
    subprocess.run("isms-userctl status; journalctl -n 30 --no-pager -o cat -u ismsd-directory", shell=True)
    print("differs:", what, flush=True)
    sys.exit(1)


def converges(host, limit):
    """The directory stands still: does the host come to have it? Returns the seconds."""
    began, server = time.monotonic(), host.everything()
    while what := difference(server):
        if time.monotonic() - began > limit:
            give_up(what)
        time.sleep(.05)
    return time.monotonic() - began


# ---- the storm -------------------------------------------------------------------------------------
# name: URIs, steps. The same place many times is tried again at once, by its cookie; two places in turn are read anew.
MODES = {
    "clear": (["ldap://127.0.0.1:4389"], STEPS),
    "anew": (["ldap://127.0.0.1:4389", "ldap://127.0.0.1:4390"], STEPS),
    "StartTLS": (["ldap://localhost:4391"], STARTTLS),
    "TLS": (["ldaps://localhost:4636"], TLS),
}
ORDER = ("clear", "anew", "clear", "TLS", "clear", "anew", "StartTLS")


def settings(mode, copies):
    uris = (MODES[mode][0] * copies)[:copies]
    with open(SETTINGS + ".new", "w") as f:
        f.write("[directory]\nuri = %s\nallow-cleartext = %s\noperation-timeout = 1\nretry-spread = 0\n" % (
            "\n ".join(uris), "yes" if mode in ("clear", "anew") else "no"))
    os.rename(SETTINGS + ".new", SETTINGS)
    subprocess.run(["systemctl", "reload", "ismsd-directory"], check=True)


def wait_over(plan, limit):
    began = time.monotonic()
    while not plan.over():
        if time.monotonic() - began > limit:
            give_up("%d faults are due and %d under way, %d done; the host does not try any more" % (
                len(plan.due), plan.busy, plan.total()))
        time.sleep(.02)


def prepare(seed):
    plan = Plan(seed)
    for port, server, framed in ((4389, 389, True), (4390, 389, True), (4391, 389, True), (4636, 636, False)):
        listen(plan, port, ("127.0.0.1", server), framed)
    return plan


def run(faults, seconds, seed):
    plan, changes, host = prepare(seed), Changes(seed), as_host()
    began, batch, slowest = time.monotonic(), 0, 0.0
    changes.start()
    while plan.total() < faults or time.monotonic() - began < seconds:
        mode = ORDER[batch % len(ORDER)]
        plan.fill(mode, MODES[mode][1], BATCH)
        settings(mode, BATCH + 1 + batch % 2)
        wait_over(plan, 240)
        with changes.lock:
            slowest = max(slowest, converges(host, 20))
        batch += 1
        print("batch %d %s: %d faults, %.1f s" % (batch, mode, plan.total(), time.monotonic() - began), flush=True)
    for (step, way), count in sorted(plan.made.items()):
        print("made %d %s / %s" % (count, step, way))
    print("in all %d faults, %d changes, at most %.1f s until all was as at the server" % (
        plan.total(), changes.count, slowest))


def alone(faults):
    """Cut again and again, with all the waiting that comes of it, and then left in peace."""
    plan, host, root = prepare(1), as_host(), as_root()
    plan.fill("cut", {"entry": ("before",), "bind answer": ("before",), "refresh done": ("before",)}, faults)
    settings("anew", 1)
    wait_over(plan, 120)
    root.modify(dn(PEOPLE[0]), 2, "loginShell", ["/bin/dash"])
    print("in all %d faults, then %.1f s" % (plan.total(), converges(host, 20)))


def main(command, *args):
    {"fill": fill, "run": run, "alone": alone}[command](*map(int, args))


main(*sys.argv[1:])
