#!/usr/bin/python3
"""scan.py CANARIES procs STOP | mem PID... | files DIR... -- look for secrets where none may be.

CANARIES: a file with one hex string per line. procs: command lines and environments of all processes every
10 ms until the file STOP is there. mem: readable memory of processes. Prints each place; status 1 if any.
"""
import os, sys, time

canaries = [bytes.fromhex(line) for line in open(sys.argv[1]).read().split()]
mode, args = sys.argv[2], sys.argv[3:]
found = set()


def look(data, place):
    for number, canary in enumerate(canaries):
        if canary in data and (place, number) not in found:
            found.add((place, number))
            print("canary %d in %s" % (number, place))


def procs(stop):
    while not os.path.exists(stop):
        for pid in os.listdir("/proc"):
            for name in ("cmdline", "environ"):
                if pid.isdigit() and int(pid) != os.getpid():
                    try:
                        data = open("/proc/%s/%s" % (pid, name), "rb").read()
                    except OSError:
                        continue
                    # The tests' own hands: ssh's askpass answers for the person.
                    if b"SSH_ASKPASS" not in data:
                        look(data, "%s of %s" % (name, data[:60]))
        time.sleep(0.01)


def mem(pid):
    for line in open("/proc/%s/maps" % pid):
        where, mode_, _, _, _, *path = line.split()
        if mode_[0] != "r" or (path and path[0] in ("[vvar]", "[vsyscall]", "[vvar_vclock]")):
            continue
        start, end = (int(x, 16) for x in where.split("-"))
        try:
            with open("/proc/%s/mem" % pid, "rb", 0) as f:
                f.seek(start)
                look(f.read(end - start), "memory of %s %s %s" % (pid, open("/proc/%s/comm" % pid).read().strip(), path))
        except OSError:
            pass


def files(top):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                look(open(path, "rb").read(), path)


if mode == "procs":
    procs(args[0])
for a in args if mode == "mem" else ():
    mem(a)
for a in args if mode == "files" else ():
    files(a)
sys.exit(1 if found else 0)
