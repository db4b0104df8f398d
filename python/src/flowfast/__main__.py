"""python -m flowfast: the command itself."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NoReturn

from ._binary import binary
from ._errors import Error


def main() -> NoReturn:
    try:
        path = binary()
    except Error as error:
        sys.exit(f"flowfast: {error}")
    arguments = [path, *sys.argv[1:]]
    if os.name != "nt":
        os.execv(path, arguments)
    # On Windows exec returns to the shell before the program has ended.
    process = subprocess.Popen(arguments)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the program has it as well
            pass


if __name__ == "__main__":
    main()
