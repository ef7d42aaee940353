"""Executes one of PostgreSQL's programs without root rights, to be ended together with its owner.

Run as a script in an isolated interpreter (`python -I -S`), since only a fresh single-threaded process can do this
safely: `preexec_fn` may deadlock in a threaded parent, and a change of user clears the parent-death signal, so that one
must be set after it. Uses nothing but the standard library.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
NO_USER = "-"


def main(uid: str, gid: str, owner: str, death_signal: str, *command: str) -> None:
    """Execute `command` as `uid`/`gid` (`-` keeps the user); `death_signal` comes when process `owner` ends."""
    if uid != NO_USER:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        zero = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(int(death_signal)), zero, zero, zero)
    if os.getppid() != int(owner):
        sys.exit("the owner ended before the program began")
    os.umask(0o077)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
