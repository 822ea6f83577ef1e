"""Try what no process of ismsd may do (DM02a). Exit 0 when everything is refused."""
import ctypes
import errno
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16


def call(function, *args):
    if function(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def execute():
    os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], {}), 0)


def trace():
    child = os.fork()
    if child == 0:
        try:
            signal_never = os.pipe()
            os.read(signal_never[0], 1)
        finally:
            os._exit(0)
    try:
        call(libc.ptrace, PTRACE_ATTACH, child, None, None)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def become_another():
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(2, 2, 2)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError(errno.EPERM, "setresuid")


attempts = {
    "execve": execute,
    "ptrace": trace,
    "setuid": become_another,
    "AF_NETLINK": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    "AF_PACKET": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close(),
}
possible = 0
for name, attempt in attempts.items():
    try:
        attempt()
        print(name, "is possible")
        possible += 1
    except OSError as e:
        print(name, "refused:", e.strerror)
sys.exit(possible)
