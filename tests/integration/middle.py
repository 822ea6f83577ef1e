"""A man in the middle of LDAP: middle.py ADDRESS:PORT SERVER:PORT DIR

Passes on what clients and server say, and changes it as DIR/mode says when the connection begins (it ends when the
mode changes):

pass         nothing
unavailable  StartTLS is answered with result 52, protocol with 2; the server hears nothing of it
garbage      ... with bytes that are no LDAP
liar         ... with a success, though no TLS follows: what comes then goes to the server as it is
closed       ... by the end of the connection

In every mode but pass the server's answers do not name StartTLS (1.3.6.1.4.1.1466.20037). While DIR/hold exists no
answer to a modify is passed on, and then not before so many seconds are over as stand in DIR/delay, if that is
there; DIR/held tells that there is one, which the server has given.

DIR/log has a line for each request that a client sends in clear, "MODE bind", "MODE extended", "MODE search", and
"MODE tls" when it begins TLS; DIR/clear all bytes of theirs that came before TLS.
"""
import os
import select
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))     # which -I takes away
from ber import take

NAMES = {0x60: "bind", 0x42: "unbind", 0x63: "search", 0x66: "modify", 0x68: "add", 0x4a: "delete", 0x50: "abandon",
         0x77: "extended"}
START_TLS = b"1.3.6.1.4.1.1466.20037"
NO_SUCH = b"1.3.6.1.4.1.1466.99999"
ANSWERS = {"unavailable": 52, "protocol": 2, "liar": 0}


def answer(identity, code):
    body = identity + bytes([0x78, 7, 0x0a, 1, code, 4, 0, 4, 0])
    return bytes([0x30, len(body)]) + body


class Middle:
    def __init__(self, folder, server):
        self.folder, self.server, self.lock = folder, server, threading.Lock()

    def mode(self):
        with open(self.folder + "/mode") as f:
            return f.read().strip()

    def note(self, name, data):
        with self.lock, open(self.folder + "/" + name, "ab") as f:
            f.write(data)

    def request(self, message, tag, identity, client, mode):
        """What to send to the server, and whether TLS is next; None: no more of this connection."""
        self.note("log", ("%s %s\n" % (mode, NAMES.get(tag, hex(tag)))).encode())
        if tag != 0x77 or START_TLS not in message:
            return message, False
        if mode == "pass":
            return message, True
        if mode == "garbage":
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        elif mode == "closed":
            return None, False
        else:
            client.sendall(answer(identity, ANSWERS[mode]))
        return b"", mode == "liar"

    def from_client(self, state, data, client, mode):
        if state["raw"]:
            if not state["seen"]:
                state["seen"] = True
                self.note("log", ("%s %s\n" % (mode, "tls" if data[0] == 0x16 else "no-tls")).encode())
                if data[0] != 0x16:
                    self.note("clear", data)
            return data
        self.note("clear", data)
        state["data"] += data
        out = b""
        while not state["raw"] and (found := take(state["data"])) is not None:
            message, identity, tag = found
            state["data"] = state["data"][len(message):]
            passed, state["raw"] = self.request(message, tag, identity, client, mode)
            if passed is None:
                return None
            out += passed
        return out

    def from_server(self, state, data, mode):
        if state["raw"] or mode != "pass":
            return data if mode == "pass" else data.replace(START_TLS, NO_SUCH)
        state["answers"] += data
        out = b""
        while (found := take(state["answers"])) is not None:
            message, _, tag = found
            state["answers"] = state["answers"][len(message):]
            if tag == 0x67:
                self.keep_back()
            out += message
        return out

    def keep_back(self):
        hold, delay = self.folder + "/hold", self.folder + "/delay"
        if os.path.exists(hold):
            self.note("held", b"\n")
        while os.path.exists(hold):
            time.sleep(.01)
        if os.path.exists(delay):
            with open(delay) as f:
                time.sleep(float(f.read()))

    def relay(self, client):
        mode = self.mode()
        state = {"raw": False, "seen": False, "data": b"", "answers": b""}
        with client, socket.create_connection(self.server) as server:
            while self.mode() == mode:
                for s in select.select([client, server], [], [], .1)[0]:
                    data = s.recv(65536)
                    if data and s is client:
                        data = self.from_client(state, data, client, mode)
                        to = server
                    elif data:
                        data = self.from_server(state, data, mode)
                        to = client
                    if data is None:
                        return
                    if data:
                        to.sendall(data)
                    elif self.ended(s):
                        return

    @staticmethod
    def ended(s):
        """Nothing to pass on is the end only when nothing more will come."""
        try:
            return s.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def run(self, client):
        try:
            self.relay(client)
        except OSError:
            pass                # one of them has gone: so has the connection


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


listener = socket.create_server(address(sys.argv[1]))
middle = Middle(sys.argv[3], address(sys.argv[2]))
while True:
    threading.Thread(target=middle.run, args=(listener.accept()[0],), daemon=True).start()
