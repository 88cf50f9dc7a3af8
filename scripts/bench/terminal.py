#!/usr/bin/env python3
"""Runs a program on a terminal of its own: terminal.py COLUMNS ROWS PROGRAM [ARGUMENT]...

What the program writes goes to stdout, what comes on stdin is typed. The first line on stderr is its process id.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, rows, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
    os.execvp(command[0], command)
print(child, file=sys.stderr, flush=True)
typed = [0]
while True:
    ready, _, _ = select.select([terminal, *typed], [], [])
    try:
        if 0 in ready:
            keys = os.read(0, 65536)
            if keys:
                os.write(terminal, keys)
            else:
                typed = []
        if terminal in ready:
            written = os.read(terminal, 65536)
            if not written:
                break
            os.write(1, written)
    except OSError:
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
