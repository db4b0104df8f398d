#!/usr/bin/env python3
"""Rows of the reference at several idle timeouts, from one dissection.

usage: oracle.py ORACLE CAPTURE FOLDER TIMEOUT...

ORACLE is the program of the reference, which asks tshark anew for every timeout; here
tshark, which takes nearly all of the time, runs once. The rows go to FOLDER/TIMEOUT.csv,
what the program says to FOLDER/TIMEOUT.txt. TIMEOUT is in seconds.
"""

import contextlib
import importlib.util
import os
import sys


def main():
    program, capture, folder, *timeouts = sys.argv[1:]
    spec = importlib.util.spec_from_file_location("oracle", program)
    oracle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oracle)
    dissected = list(oracle.rows_of_tshark(capture))
    oracle.rows_of_tshark = lambda path: map(dict, dissected)
    for timeout in timeouts:
        name = os.path.join(folder, timeout)
        sys.argv = [program, "--timeout", timeout, capture]
        with open(name + ".csv", "w", newline="") as rows, open(name + ".txt", "w") as said:
            with contextlib.redirect_stdout(rows), contextlib.redirect_stderr(said):
                oracle.main()


if __name__ == "__main__":
    main()
