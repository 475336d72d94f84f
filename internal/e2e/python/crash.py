"""Runs a program that keeps something in SQLite, and kills it at the first
transaction that changes anything: just before it is committed, or just after.

python3 crash.py before|after PROGRAM [ARGUMENT...]
"""

import os
import runpy
import signal
import sqlite3
import sys

when, *sys.argv = sys.argv[1:]
connect = sqlite3.connect


class Connection(sqlite3.Connection):
    def __exit__(self, *error):
        if when == "after":
            super().__exit__(*error)
        if self.total_changes > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if when == "before":
            super().__exit__(*error)


sqlite3.connect = lambda file: connect(file, factory=Connection)
runpy.run_path(sys.argv[0], run_name="__main__")
