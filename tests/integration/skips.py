"""skips.py SERVICE USER STAGE...: an application that goes on whatever account says. Exit status: the code of the last stage.

Stages: authenticate, account, change, open. The answers to prompts come from the environment: password, code, old, new.
"""
import ctypes
import os
import sys

libc = ctypes.CDLL(None)
libpam = ctypes.CDLL("libpam.so.0")
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


CONVERSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)),
                            ctypes.POINTER(ctypes.POINTER(Response)), ctypes.c_void_p)


class Conversation(ctypes.Structure):
    _fields_ = [("converse", CONVERSE), ("data", ctypes.c_void_p)]


def answer(prompt):
    for word, name in (("Current", "old"), ("New", "new"), ("code", "code"), ("ssword", "password")):
        if word in prompt:
            return os.environ[name]
    return ""


@CONVERSE
def converse(count, messages, ret, _data):
    replies = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
    for i in range(count):
        text = messages[i].contents.text.decode()
        print(text, flush=True)
        if messages[i].contents.style in (1, 2):
            replies[i].text = libc.strdup(answer(text).encode())
    ret[0] = replies
    return 0


stages = {"authenticate": libpam.pam_authenticate, "account": libpam.pam_acct_mgmt, "change": libpam.pam_chauthtok,
          "open": libpam.pam_open_session}
handle = ctypes.c_void_p()
conversation = Conversation(converse, None)
service, user = sys.argv[1:3]
code = libpam.pam_start(service.encode(), user.encode(), ctypes.byref(conversation), ctypes.byref(handle))
for stage in sys.argv[3:]:
    code = stages[stage](handle, 0)
    print(stage, code, flush=True)
    if stage == "open" and code == 0:
        libpam.pam_close_session(handle, 0)
libpam.pam_end(handle, code)
sys.exit(code)
