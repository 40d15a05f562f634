"""Where the process `tower` begins. No garbage is looked for while modules load; that took a quarter of their time."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line; expected failures end with one sentence and exit code 2."""
    gc.disable()
    from tower.cli import run_line  # the modules whose loading is meant

    gc.freeze()
    gc.enable()
    sys.exit(run_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
