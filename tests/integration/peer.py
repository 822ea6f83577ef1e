"""A scripted LDAP server, for replies that a real one never sends (hostile-ldap.sh, RFC 4511 and 4533).

peer.py CERTIFICATE KEY LOG: serves on 127.0.0.1:636, is told what to do on 127.0.0.1:3899, one line each:

  sync NAME          how the next searches with the sync control are answered: a function sync_NAME below
  bind NAME          how binds of people are answered: a function bind_NAME below
  set UID SHELL      a change of the directory
and answers "ok". Any of "sync" and "set" ends the searches that last. A search is logged as "sync NAME cookie=C",
once it was answered; connections to the referral's target, 127.0.0.3:389, as "EVIL".
"""
import os
import select
import socket
import ssl
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # which -I takes away
from ber import DONE, INFO, STATE, SYNC, boolean, control, message, number, parse, text, tlv

BASE = "dc=example,dc=com"
EVIL = "ldap://127.0.0.3/"
PRESENT, ADD, MODIFY, DELETE = range(4)
MIB = 1 << 20


# ---- replies: (operation, controls...) of a search, or what to do with the connection ------------
CLOSE = "close"


def result(code, tag=0x65, referral=None):
    return (tlv(tag, number(code, 10), text(""), text(""), *([tlv(0xa3, text(referral))] if referral else [])),)


def entry(e, state=ADD, dn=None, attributes=None, id=None, cookie=None, encoded=b""):
    """encoded: more attributes, as they are to be sent."""
    values = tlv(0x30, *(tlv(0x30, text(name), tlv(0x31, *map(text, all))) for name, all in
                         (e["attributes"] if attributes is None else attributes).items()), encoded)
    value = tlv(0x30, number(state, 10), text(e["id"].bytes if id is None else id), *([text(cookie)] if cookie else []))
    return tlv(0x64, text(dn or e["dn"]), values), control(STATE, value)


def info(body):
    return (tlv(0x79, tlv(0x80, INFO), tlv(0x81, body)),)


def new_cookie(cookie):
    return info(tlv(0x80, cookie))


def refresh_delete(cookie, done=True):
    return info(tlv(0xa1, text(cookie), *([] if done else [boolean(False)])))


def refresh_present(cookie, done=True):
    return info(tlv(0xa2, text(cookie), *([] if done else [boolean(False)])))


def id_set(ids, deletes=False):
    return info(tlv(0xa3, *([boolean(True)] if deletes else []), tlv(0x31, *map(text, ids))))


# ---- the directory -------------------------------------------------------------------------------
generation = 1
people = {}


def add_person(name, uid, **more):
    people[name] = {"dn": "uid=%s,ou=people,%s" % (name, BASE), "id": uuid.uuid5(uuid.NAMESPACE_DNS, name), "since": 1,
                    "attributes": {"objectClass": ["inetOrgPerson", "posixAccount"], "uid": [name], "cn": [name],
                                   "uidNumber": [str(uid)], "gidNumber": ["5000"], "homeDirectory": ["/home/" + name],
                                   "loginShell": ["/bin/bash"], "employeeType": ["employee"],
                                   "entryUUID": [str(uuid.uuid5(uuid.NAMESPACE_DNS, name))], **more}}


for n, name in enumerate(("ada", "bea", "carl", "dora")):
    add_person(name, 3000 + n)
people["staff"] = {"dn": "cn=staff,ou=groups," + BASE, "id": uuid.uuid5(uuid.NAMESPACE_DNS, "staff"), "since": 1,
                   "attributes": {"objectClass": ["groupOfNames", "posixGroup"], "cn": ["staff-people"],
                                  "gidNumber": ["4000"], "member": [people[p]["dn"] for p in ("ada", "bea")],
                                  "entryUUID": [str(uuid.uuid5(uuid.NAMESPACE_DNS, "staff"))]}}
people["people"] = {"dn": "cn=people,ou=groups," + BASE, "id": uuid.uuid5(uuid.NAMESPACE_DNS, "people"), "since": 1,
                    "attributes": {"objectClass": ["groupOfMembers", "posixGroup"], "cn": ["people"], "gidNumber": ["5000"],
                                   "entryUUID": [str(uuid.uuid5(uuid.NAMESPACE_DNS, "people"))]}}
everybody = list(people.values())
ada, bea, carl = (people[p] for p in ("ada", "bea", "carl"))


def now():
    return "A:%d" % generation


def adds(*but):
    return [entry(e) for e in everybody if e not in but]


# ---- answers to a search with the sync control: cookie in, replies out ----------------------------
def without(e, name):
    return {k: v for k, v in e["attributes"].items() if k != name}


def many_members():
    """The group of a million; of one pattern, for a million calls take seconds, in which nobody else is served."""
    before, after = text("uid=member%07d,ou=people,%s" % (0, BASE)).split(b"%07d" % 0)
    values = b"".join(b"%s%07d%s" % (before, n, after) for n in range(10**6))
    staff = people["staff"]
    return entry(staff, attributes=without(staff, "member"), encoded=tlv(0x30, text("member"), tlv(0x31, values)))


def sync_good(cookie):
    """What was asked, in the present phase where a cookie is of an older state."""
    if not cookie.startswith("A:"):
        yield from adds()
    elif cookie == now():
        yield refresh_delete(cookie)
        return
    else:
        since = int(cookie[2:])
        yield from (entry(e) for e in everybody if e["since"] > since)
        yield id_set([e["id"].bytes for e in everybody if e["since"] <= since])
    yield refresh_present(now())


def sync_slow(cookie):
    """As a large directory over a thin line: longer than setup waits for the first word, each within operation-timeout."""
    for reply in sync_good(cookie):
        time.sleep(2.5)
        yield reply


def sync_both_phases(cookie):
    """Present phase, then deletes, as a server may that has forgotten some of its past; ids nobody knows are deleted."""
    if not cookie:
        yield from sync_good(cookie)
        return
    yield from (entry(e) for e in everybody if e["since"] > 1)
    yield id_set([e["id"].bytes for e in everybody if e["since"] == 1])
    yield refresh_present(now(), done=False)
    yield id_set([os.urandom(16) for n in range(100)], deletes=True)
    yield refresh_delete(now())


def limited(code):
    def answer(cookie):
        yield from adds(bea, carl)
        yield result(code)
    return answer


sync_size_limit, sync_time_limit, sync_admin_limit = limited(4), limited(3), limited(11)
sync_busy, sync_unavailable, sync_no_such_object = limited(51), limited(52), limited(32)


def sync_referral(cookie):
    yield result(10, referral=EVIL)


def sync_continuation(cookie):
    yield from adds(bea)
    yield (tlv(0x73, text(EVIL + "ou=people," + BASE)),)
    yield refresh_present(now())


def sync_cut_in_present(cookie):
    yield entry(ada)
    yield id_set([ada["id"].bytes])
    yield CLOSE


def sync_cut_before_done(cookie):
    yield from adds(bea, carl)
    yield new_cookie(now())
    yield CLOSE


def sync_result_before_done(cookie):
    yield from adds(bea, carl)
    yield result(0)


def sync_not_persistent(cookie):
    yield from adds(bea, carl)
    yield result(0)[0], control(DONE, tlv(0x30, text(now()), boolean(True)))


def sync_refresh_required(cookie):
    if cookie:
        yield result(4096)
    else:
        yield from sync_good(cookie)


def sync_refresh_required_later(cookie):
    yield from sync_good(cookie)
    if cookie:
        yield result(4096)


def sync_other_provider(cookie):
    """B has another past: what it takes for known was never heard of here."""
    if cookie:
        yield entry(ada)
        yield id_set([os.urandom(16), bea["id"].bytes])
        yield refresh_present("B:7")
    else:
        yield from sync_good(cookie)


def sync_present_in_full(cookie):
    """Without a cookie nothing is known; to be told that it is unchanged says nothing of what it is."""
    if cookie:
        yield result(4096)
        return
    yield from adds(bea)
    yield entry(bea, state=PRESENT, attributes={})
    yield refresh_present(now())


def sync_short_ids(cookie):
    yield from adds(bea, carl)
    yield id_set([b"fifteen bytes.."])
    yield refresh_present(now())


def sync_garbage_ids(cookie):
    yield from adds(bea, carl)
    yield info(tlv(0xa3, os.urandom(100)))
    yield refresh_present(now())


def sync_no_state(cookie):
    yield from adds(bea)
    yield entry(bea)[:1]
    yield refresh_present(now())


def sync_unknown_state(cookie):
    yield from adds(bea)
    yield entry(bea, state=7)
    yield refresh_present(now())


def sync_short_id(cookie):
    yield from adds(bea)
    yield entry(bea, id=b"short")
    yield refresh_present(now())


def sync_done_again(cookie):
    """The end of a refresh, said once more: nobody was mentioned since."""
    yield from sync_good("")
    yield entry(ada, state=MODIFY, cookie=now())
    yield refresh_present(now())


def sync_huge_attribute(cookie):
    yield from adds(bea)
    yield entry(bea, attributes={**bea["attributes"], "cn": [b"x" * (64 * MIB)]})
    yield refresh_present(now())


def sync_million_members(cookie):
    staff = people["staff"]
    yield from adds(staff)
    yield many_members()
    yield refresh_present(now())


def sync_endless(cookie):
    while True:
        yield entry(ada)


# One entry is not as it should be: it alone is refused.
def odd(*replies):
    def answer(cookie):
        yield from adds(carl)
        yield from replies
        yield refresh_present("B:%d" % generation)
    return answer


sync_no_uuid = odd(entry(carl, attributes=without(carl, "entryUUID")))
sync_other_uuid = odd(entry(carl, attributes={**carl["attributes"], "entryUUID": [str(uuid.uuid4())]}))
sync_twice = odd(entry(carl), entry(carl))
sync_two_of_one_dn = odd(entry(carl), entry(carl, id=uuid.uuid5(uuid.NAMESPACE_DNS, "other").bytes, attributes={
    **carl["attributes"], "uidNumber": ["3999"], "entryUUID": [str(uuid.uuid5(uuid.NAMESPACE_DNS, "other"))]}))
sync_no_class = odd(entry(carl, attributes=without(carl, "objectClass")))
sync_nul = odd(entry(carl, attributes={**carl["attributes"], "uid": ["carl\0root"]}))
sync_no_values = odd(entry(carl, attributes={**carl["attributes"], "uidNumber": []}))


# ---- answers to a person's bind: (message id, right) in, messages out -----------------------------
def bind_good(msgid, right):
    return [message(msgid, *result(0 if right else 49, tag=0x61))]


def bind_other_id(msgid, right):
    return [message(msgid + 1, *result(0, tag=0x61)), message(msgid + 77, *result(0, tag=0x61))]


def bind_notice(msgid, right):
    oid = tlv(0x8a, "1.3.6.1.4.1.1466.20036")
    return [message(0, tlv(0x78, number(0, 10), text(""), text(""), oid))]


def bind_other_type(msgid, right):
    return [message(msgid, *result(0))]


def bind_referral(msgid, right):
    return [message(msgid, *result(10, tag=0x61, referral=EVIL))]


def bind_half(msgid, right):
    return [message(msgid, *result(0, tag=0x61))[:-3]]


# ---- connections -----------------------------------------------------------------------------------
mode = {"sync": "good", "bind": "good"}
lasting = set()
log = None


def note(line):
    log.write(line + "\n")
    log.flush()


def requested_cookie(controls):
    """Of the sync control; None: there is none."""
    for _, body in parse(controls):
        parts = parse(body)
        if parts[0][1].decode() == SYNC:
            inner = parse(parse(parts[-1][1])[0][1])
            return "".join(b.decode() for tag, b in inner if tag == 4)
    return None


def sync(connection, msgid, cookie):
    name, served = mode["sync"], generation
    try:
        for reply in globals()["sync_" + name](cookie):
            if reply == CLOSE:
                connection.shutdown(socket.SHUT_RDWR)
                break
            connection.sendall(message(msgid, reply[0], reply[1:]))
        lasting.add(connection)
        if (name, served) != (mode["sync"], generation):    # told otherwise meanwhile, when it could not be hung up yet
            hang_up()
    finally:
        note("sync %s cookie=%s" % (name, cookie))


def bind(connection, msgid, body):
    dn, credentials = (b.decode() for _, b in parse(body)[1:3])
    name = dn.split(",")[0].partition("=")[2]
    right = credentials == name + "-password"
    answer = mode["bind"] if name in people else "good"
    note("bind %s %s" % (name, answer))
    for reply in globals()["bind_" + answer](msgid, right):
        connection.sendall(reply)


def serve(connection):
    try:
        stream = connection.makefile("rb")
        while head := stream.read(2):
            size = head[1]
            if size & 0x80:
                size = int.from_bytes(stream.read(size & 0x7f), "big")
            parts = parse(stream.read(size))
            msgid, (tag, body) = int.from_bytes(parts[0][1], "big"), parts[1]
            cookie = requested_cookie(parts[2][1]) if len(parts) > 2 else None
            if tag == 0x60:
                bind(connection, msgid, body)
            elif tag == 0x63 and cookie is not None:
                sync(connection, msgid, cookie)
            elif tag == 0x63:
                connection.sendall(message(msgid, *result(0)))
            elif tag == 0x42:
                break
    except (OSError, ValueError) as e:
        note("connection ended: %s" % e)
    finally:
        lasting.discard(connection)
        connection.close()


def hang_up():
    for connection in list(lasting):
        lasting.discard(connection)
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def command(line):
    global generation
    verb, *words = line.split()
    if verb == "set":
        generation += 1
        people[words[0]]["attributes"]["loginShell"] = [words[1]]
        people[words[0]]["since"] = generation
    else:
        globals()[verb + "_" + words[0]]
        mode[verb] = words[0]
    if verb != "bind":
        hang_up()


def listen(address, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(16)
    return s


def greet(context, raw):
    try:
        serve(context.wrap_socket(raw, server_side=True))
    except OSError as e:
        note("no TLS: %s" % e)


def main(certificate, key, path):
    global log
    log = open(path, "a")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ldaps, orders, evil = listen("127.0.0.1", 636), listen("127.0.0.1", 3899), listen("127.0.0.3", 389)
    while True:
        for ready in select.select([ldaps, orders, evil], [], [])[0]:
            raw, _ = ready.accept()
            if ready is ldaps:
                threading.Thread(target=greet, args=(context, raw), daemon=True).start()
            elif ready is orders:
                with raw, raw.makefile("rw") as stream:
                    command(stream.readline())
                    stream.write("ok\n")
                    stream.flush()
            else:
                note("EVIL")
                raw.close()


main(*sys.argv[1:])
