"""Between ismsd and slapd: connections that are passed on, each with a fault of a plan (storm.py).

A fault has a step, the n-th message of a kind on its connection, and a way to spoil it. Where messages can be told apart
(ldap:// without TLS, and StartTLS until it answers), the steps are those of the protocol; inside of TLS they are bytes.
What TCP rules out within one operation is not done: messages change places only where they belong to different
operations, or are entries of one refresh.
"""
import collections
import os
import random
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "integration"))
from ber import INFO, SYNC, parse, take

TO_SERVER, TO_CLIENT = 0, 1
ENDS = ("before", "after", "half", "reset")     # of the connection: around the message, in it, by RST before it
LATE = ("delay", "slow")                        # all of it some time later; in pieces
STEPS = {
    "connect": ("before", "reset", "delay", "silence"),
    "bind": ENDS + LATE + ("twice",),
    "bind answer": ENDS + LATE + ("twice", "silence"),
    "search": ENDS + LATE,      # slapd 2.5.13 dies of the same one twice under one message id
    "entry": ENDS + LATE + ("twice", "swap", "silence"),
    "ids": ENDS + LATE + ("twice", "silence"),
    "refresh done": ENDS + LATE + ("twice", "silence"),
    "change": ENDS + LATE + ("twice", "silence"),
    "probe": ENDS + ("delay", "twice"),
    "probe answer": ENDS + LATE + ("twice", "swap", "silence"),
}
STARTTLS = {
    "StartTLS": ENDS + LATE + ("twice",),
    "StartTLS answer": ENDS + LATE + ("twice", "garbage", "silence"),
    "TLS bytes": ("before", "reset", "delay", "flip", "twice", "silence"),
}
TLS = {"connect": STEPS["connect"], "TLS bytes": STARTTLS["TLS bytes"]}
SILENCE_EVERY = 100     # since each takes seconds, until the host gives up

Fault = collections.namedtuple("Fault", "step nth way amount direction")


class Plan:
    """Which faults are due, and what came of them."""

    def __init__(self, seed):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.due, self.bags, self.made = collections.deque(), {}, collections.Counter()
        self.busy, self.silence_in = 0, SILENCE_EVERY // 4

    def draw(self, steps, table):
        """One of all combinations before any of them comes again; silence is rare."""
        self.silence_in -= 1
        kind = "silence" if self.silence_in <= 0 else "other"
        if kind == "silence":
            self.silence_in = SILENCE_EVERY
        bag = self.bags.setdefault((steps, kind), [])
        if not bag:
            bag.extend((step, way) for step, ways in table.items() for way in ways
                       if (way == "silence") == (kind == "silence"))
            self.random.shuffle(bag)
        step, way = bag.pop()
        nth = self.random.choice((1, 1, 2, 5, 20, 40, 60)) if step == "entry" else 1
        amount, direction = self.random.random(), self.random.choice((TO_SERVER, TO_CLIENT, TO_CLIENT))
        if step == "TLS bytes":
            nth = self.random.choice((1, 6, *(self.random.randrange(most) for most in (600, 5000, 40000))))
        return Fault(step, nth, way, amount, direction)

    def fill(self, steps, table, count):
        with self.lock:
            self.due.extend(self.draw(steps, table) for _ in range(count))

    def next(self):
        with self.lock:
            self.busy += bool(self.due)
            return self.due.popleft() if self.due else None

    def note(self, step, way):
        with self.lock:
            self.made[step, way] += 1

    def closed(self):
        with self.lock:
            self.busy -= 1

    def over(self):
        """All was done; what goes on is passed on as it is."""
        with self.lock:
            return not self.due and self.busy == 0

    def total(self):
        with self.lock:
            return sum(self.made.values())


class Ended(Exception):
    """This connection is over."""


class Wire(threading.Thread):
    """One connection. framed: LDAP in clear, at least until StartTLS has been answered."""

    def __init__(self, plan, client, server, framed):
        super().__init__(daemon=True)
        self.plan, self.client, self.address, self.framed = plan, client, server, framed
        self.server = None
        self.fault = plan.next()
        self.busy = self.fault is not None
        self.data, self.passed = [b"", b""], [0, 0]
        self.counts, self.search, self.persists, self.held, self.held_since = collections.Counter(), None, False, None, 0
        self.began = time.monotonic()
        self.done_at = None         # when the fault was made; the connection goes on for a while

    # ---- what the host and the server see ----
    def hang_up(self, way):
        for s in (self.client, self.server):
            if s is not None and way == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended

    def send(self, direction, data):
        (self.server, self.client)[direction].sendall(data)

    def silence(self):
        """Nothing more is passed on, until the host has had enough."""
        while True:
            select.select([self.client], [], [], 30)
            if not self.client.recv(65536):
                raise Ended

    def done(self, step):
        self.plan.note(step, self.fault.way)
        self.fault, self.done_at = None, time.monotonic()

    def spoil(self, direction, data, step):
        """What is due happens to these bytes."""
        fault = self.fault
        way, cut = fault.way, min(1 + int(fault.amount * len(data)), max(len(data) - 1, 1))
        self.done(step)
        if way in ("after", "half"):
            self.send(direction, data if way == "after" else data[:cut])
        if way in ENDS:
            self.hang_up(way)
        if way == "silence":
            self.silence()
        if way == "delay":
            time.sleep(fault.amount * .15)
        if way == "slow":
            for at in range(0, len(data), max(len(data) // 4, 1)):
                self.send(direction, data[at:at + max(len(data) // 4, 1)])
                time.sleep(fault.amount * .02)
            return
        if way == "garbage":
            data = bytes(b ^ 0x55 for b in data)
        if way == "flip":
            data = data[:cut - 1] + bytes([data[cut - 1] ^ 0x10]) + data[cut:]
        if way == "swap":
            self.held, self.held_since = (direction, data), time.monotonic()
            return
        self.send(direction, data * 2 if way == "twice" else data)

    # ---- messages ----
    def step_of(self, direction, message, identity, tag):
        if direction == TO_SERVER:
            if tag == 0x63 and SYNC.encode() in message:
                self.search = identity
                return "search"
            return {0x60: "bind", 0x63: "probe", 0x77: "StartTLS"}.get(tag)
        if tag == 0x78:
            return "StartTLS answer"
        if tag == 0x61:
            return "bind answer"
        if identity != self.search:
            return "probe answer" if tag == 0x65 else None
        if tag == 0x64:
            return "change" if self.persists else "entry"
        if tag == 0x79 and INFO.encode() in message:
            return "refresh done" if self.ends_refresh(message) else "ids"
        return None

    @staticmethod
    def ends_refresh(message):
        """A sync info that is refreshDelete or refreshPresent, and says no more follows."""
        for tag, body in parse(parse(parse(message)[0][1])[1][1]):
            if tag == 0x81:
                kind, inner = parse(body)[0]
                return kind in (0xa1, 0xa2) and not any(t == 1 and v == b"\0" for t, v in parse(inner))
        return False

    def is_due(self, step):
        if self.fault is None or step is None:
            return False
        self.counts[step] += 1
        if step == self.fault.step and self.counts[step] >= self.fault.nth:
            return True
        # A refresh by cookie has few entries, or none, and ids only where somebody went: then its end is it.
        return step == "refresh done" and self.fault.step in ("entry", "ids")

    def deliver(self, direction, data, step):
        held, self.held = self.held, None
        if held and step == "refresh done":     # nothing may come after the end of its refresh
            self.send(*held)
            held = None
        self.send(direction, data)
        if held:
            self.send(*held)

    def on_message(self, direction, message, identity, tag):
        step = self.step_of(direction, message, identity, tag)
        due = self.is_due(step)
        if due and self.fault.way == "swap" and step not in ("entry", "probe answer"):
            self.fault = self.fault._replace(way="delay")
        if due:
            self.spoil(direction, message, step)
        else:
            self.deliver(direction, message, step)
        if step == "refresh done":
            self.persists = True
        if step == "StartTLS answer":
            self.framed = False

    # ---- bytes ----
    def on_bytes(self, direction, data):
        fault, at = self.fault, self.passed[direction]
        self.passed[direction] += len(data)
        if fault and fault.step == "TLS bytes" and fault.direction == direction and at + len(data) >= fault.nth:
            cut = max(fault.nth - at - 1, 0)
            if data[:cut]:
                self.send(direction, data[:cut])
            self.spoil(direction, data[cut:], "TLS bytes")
        else:
            self.send(direction, data)

    def on_data(self, direction, data):
        self.data[direction] += data
        while self.framed and (found := take(self.data[direction])):
            self.data[direction] = self.data[direction][len(found[0]):]
            self.on_message(direction, *found)
        if not self.framed:
            for d in (TO_SERVER, TO_CLIENT):
                data, self.data[d] = self.data[d], b""
                if data:
                    self.on_bytes(d, data)

    # ---- time ----
    def on_time(self):
        now = time.monotonic()
        if self.held and now - self.held_since > .1:
            self.send(*self.held)
            self.held = None
        wait = .04 if self.persists else 2 if self.framed else .25
        if self.done_at and not self.held and now > self.done_at + wait:
            raise Ended                 # on to the next one; this is a cut where nothing was due, and not counted
        if self.fault and self.fault.step == "TLS bytes" and now - self.began > .3:
            self.fault = self.fault._replace(nth=0, way="before")      # no so many bytes came: cut where it stands
            self.done("TLS bytes")
            raise Ended
        if self.fault and now - self.began > 3:
            self.fault = None           # its step does not come: not counted
            raise Ended

    def relay(self):
        if self.fault and self.fault.step == "connect":
            fault = self.fault
            self.done("connect")
            if fault.way in ENDS:
                self.hang_up(fault.way)
            if fault.way == "silence":
                self.silence()
            time.sleep(fault.amount * .15)
        self.server = socket.create_connection(self.address)
        for s in (self.client, self.server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            for s in select.select([self.client, self.server], [], [], .02)[0]:
                data = s.recv(65536)
                if not data:
                    return
                self.on_data(TO_SERVER if s is self.client else TO_CLIENT, data)
            self.on_time()

    def run(self):
        try:
            self.relay()
        except (Ended, OSError):
            pass
        finally:
            for s in (self.client, self.server):
                if s is not None:
                    s.close()
            if self.busy:
                self.plan.closed()


def listen(plan, port, server, framed):
    """Pass on what comes to a port of ours."""
    listener = socket.create_server(("127.0.0.1", port), backlog=64)

    def serve():
        while True:
            Wire(plan, listener.accept()[0], server, framed).start()

    threading.Thread(target=serve, daemon=True).start()
