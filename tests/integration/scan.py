#!/usr/bin/python3
"""scan.py CANARIES MODE ... -- look for secrets where none may be.

CANARIES: a file with a name and a hex string on each line; read when the looking begins, which for procs is at the end.
  procs STOP               command lines and environments of all processes, every 10 ms until the file STOP is there
  mem PID...               readable memory of processes
  files TOP [EXCEPT...]    every file below TOP, on whatever file system, but for the kernel's own and those below EXCEPT
  text                     standard input; a canary of digits must stand alone there, for time stamps are digits too
  cores TOP                core images below TOP, whatever is in them
Prints each place. Status 0: nothing found, 1: found, 2: could not look, or saw too little to tell.
"""
import os, re, sys, time, traceback

found = set()
canaries = []


def load():
    for line in open(sys.argv[1]):
        name, value = line.split()
        canaries.append((name, bytes.fromhex(value)))
    if not canaries or not all(len(value) >= 8 for _, value in canaries):
        raise ValueError("no canary, or one that chance would match")


def say(text):
    if text not in found:
        found.add(text)
        print(text, flush=True)


def look(data, place):
    for name, canary in canaries:
        if canary in data:
            say("%s in %s" % (name, place))


def procs(stop):
    seen = set()        # what the canaries will be is not known yet: keep every sample
    while not os.path.exists(stop):
        for pid in os.listdir("/proc"):
            for name in ("cmdline", "environ"):
                if pid.isdigit() and int(pid) != os.getpid():
                    try:
                        seen.add((name, open("/proc/%s/%s" % (pid, name), "rb").read()))
                    except OSError:
                        continue
        time.sleep(0.01)
    load()
    for name, data in seen:
        # The tests' own hands: ssh's askpass answers for the person.
        if name == "cmdline" or b"SSH_ASKPASS=" not in data:
            look(data, "%s of %s" % (name, data[:60]))


def mem(pid):
    stack = False
    comm = open("/proc/%s/comm" % pid).read().strip()
    for line in open("/proc/%s/maps" % pid):
        where, mode, _, _, _, *path = line.split()
        if mode[0] != "r" or (path and path[0] in ("[vvar]", "[vsyscall]", "[vvar_vclock]")):
            continue
        start, end = (int(x, 16) for x in where.split("-"))
        with open("/proc/%s/mem" % pid, "rb", 0) as f:
            f.seek(start)
            try:
                data = f.read(end - start)
            except OSError:
                if path:        # a page behind the end of its file
                    continue
                raise
        stack = stack or (path == ["[stack]"] and len(data) > 0)
        look(data, "memory of %s %s %s" % (pid, comm, path))
    if not stack:
        raise ValueError("nothing read from the stack of %s" % pid)


def walk(top, without=()):
    for folder, folders, names in os.walk(top, onerror=lambda e: None):
        folders[:] = [d for d in folders if os.path.join(folder, d) not in ("/proc", "/sys", *without)]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                try:
                    yield path, open(path, "rb")
                except FileNotFoundError:
                    continue


def files(top, *without):
    count = 0
    for path, f in walk(top, without):
        with f:
            look(f.read(), path)
        count += 1
    if count == 0:
        raise ValueError("no file below %s" % top)


def cores(top):
    for path, f in walk(top):
        with f:
            head = f.read(18)
        if head[:4] == b"\x7fELF" and head[16:18] in (b"\x04\x00", b"\x00\x04"):
            say("core image %s" % path)


def text():
    data = sys.stdin.buffer.read()
    for name, canary in canaries:
        if re.search(rb"(?<![0-9])%s(?![0-9])" % canary if canary.isdigit() else re.escape(canary), data):
            say("%s in the text" % name)


try:
    mode, args = sys.argv[2], sys.argv[3:]
    if mode == "procs":
        procs(*args)
    else:
        load()
        if mode == "mem":
            if not args:
                raise ValueError("no process")
            for a in args:
                mem(a)
        else:
            {"files": files, "cores": cores, "text": text}[mode](*args)
except Exception:
    traceback.print_exc()
    sys.exit(2)
sys.exit(1 if found else 0)
