#!/usr/bin/python3
"""recovery.py USER CODES COUNT REQUESTS -- each of COUNT recovery codes in REQUESTS requests at the same moment.

As the front of as many hosts would ask (RECOVERY_USE of common/proto.def): exactly one of them may be told that the code
is right. Exit 0 when that holds for every code.
"""
import socket
import struct
import sys

USE, RESULT = 71, 83
user, path, count, requests = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def text(value):
    return struct.pack("<I", len(value)) + value.encode()


def reason(frame):
    version, number, _, value = struct.unpack_from("<HHII", frame)
    if (version, number) != (1, RESULT):
        raise ValueError("answered by message %d" % number)
    return value


wrong = 0
for code in open(path).read().split()[:count]:
    body = text(user) + text(code.replace("-", ""))
    frame = struct.pack("<HHI", 1, USE, len(body)) + body
    peers = []
    for _ in range(requests):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        peer.connect("/run/isms/private/directory.sock")
        peers.append(peer)
    for peer in peers:
        peer.send(frame)
    answers = []
    for peer in peers:
        peer.settimeout(20)
        answers.append(reason(peer.recv(8192)))
        peer.close()
    won = answers.count(1)      # REASON_OK
    print("answers:", *sorted(answers))
    wrong += won != 1
sys.exit(wrong != 0)
