#!/usr/bin/python3
"""dns.py ZONE: a name server on 127.0.0.1 that answers from the file ZONE, read anew for each question.

Lines: NAME A ADDRESS | NAME SRV TTL PRIORITY WEIGHT PORT TARGET. A name that is in no line does not exist.
"""
import socket
import struct
import sys

A, SRV = 1, 33


def encode(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def question(query):
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    return ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


def record(words):
    if words[1] == "A":
        return A, 60, socket.inet_aton(words[2])
    ttl, *numbers = (int(word) for word in words[2:6])
    return SRV, ttl, struct.pack(">3H", *numbers) + encode(words[6])


def answer(query, zone):
    name, kind, asked = question(query)
    known, records = False, []
    for line in open(zone):
        words = line.split()
        if words and words[0] == name:
            known = True
            of, ttl, data = record(words)
            if of == kind:
                records.append(struct.pack(">3HIH", 0xC00C, of, 1, ttl, len(data)) + data)
    flags = 0x8580 if known else 0x8583     # NXDOMAIN
    return query[:2] + struct.pack(">5H", flags, 1, len(records), 0, 0) + asked + b"".join(records)


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    packet, peer = server.recvfrom(4096)
    try:
        server.sendto(answer(packet, sys.argv[1]), peer)
    except (IndexError, ValueError, UnicodeDecodeError) as fault:
        print(fault, file=sys.stderr)
