"""BER as LDAP has it, and the messages of RFC 4511 and 4533 made of it; for peer.py, middle.py and tests/faults."""

SYNC, STATE, DONE, INFO = ("1.3.6.1.4.1.4203.1.9.1.%d" % n for n in (1, 2, 3, 4))


def tlv(tag, *parts):
    body = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def number(n, tag=2):
    return tlv(tag, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def text(s):
    return tlv(4, s)


def boolean(b):
    return tlv(1, b"\xff" if b else b"\0")


def parse(data):
    """[(tag, body)...] of what stands one after the other."""
    found = []
    while data:
        size, at = data[1], 2
        if size & 0x80:
            at += size & 0x7f
            size = int.from_bytes(data[2:at], "big")
        found.append((data[0], data[at:at + size]))
        data = data[at + size:]
    return found


def control(oid, value):
    return tlv(0x30, text(oid), text(value))


def message(msgid, op, controls=()):
    return tlv(0x30, number(msgid), op, *([tlv(0xa0, *controls)] if controls else []))


def take(data):
    """The first message of data: (its bytes, its id, the tag of what it is), or None when it is not all there."""
    if len(data) < 2:
        return None
    n, at = data[1], 2
    if n & 0x80:
        at += n & 0x7f
        n = int.from_bytes(data[2:at], "big")
    if len(data) < max(at + n, at + 2):
        return None
    end = at + 2 + data[at + 1]
    return data[:at + n], data[at:end], data[end]
