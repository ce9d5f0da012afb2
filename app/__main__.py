"""`python -m app`: the command line without the installed script."""

import sys

from app.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
