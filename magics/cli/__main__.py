"""`python -m magics.cli` is the command `chalkgrad`."""

import sys

from magics.cli import main

if __name__ == "__main__":
    sys.exit(main())
