"""Looks people up all the time, and fails at the first who is not there: watch.py LOG NAME...

In this process, which maps each snapshot in turn, and every second in one that has never looked. LOG has a line for
each who was missed, and at SIGTERM "looked N fresh M", how often.
"""
import grp
import os
import pwd
import signal
import subprocess
import sys
import time


def missing(names):
    """Who is not there, or by half."""
    for name in names:
        try:
            p = pwd.getpwnam(name)
            if pwd.getpwuid(p.pw_uid).pw_name != name:
                yield name + " by uid"
            grp.getgrgid(p.pw_gid)
            os.getgrouplist(name, p.pw_gid)
        except (KeyError, OSError) as e:
            yield "%s: %s" % (name, e)


def main(path, *names):
    with open(path, "a", buffering=1) as log:
        looked = fresh = 0
        next_fresh = 0.0

        def end(*_):
            log.write("looked %d fresh %d\n" % (looked, fresh))
            sys.exit(0)

        signal.signal(signal.SIGTERM, end)
        while True:
            for line in missing(names):
                log.write("missing %.3f %s\n" % (time.time(), line))
                sys.exit(1)
            looked += len(names)
            if time.monotonic() >= next_fresh:
                next_fresh = time.monotonic() + 1
                out = subprocess.run(["getent", "passwd", *names], capture_output=True, text=True).stdout
                if out.count("\n") != len(names):
                    log.write("missing %.3f in a fresh process:\n%s" % (time.time(), out))
                    sys.exit(1)
                fresh += len(names)
            time.sleep(.01)


main(*sys.argv[1:])
