"""Places at which a test may kill the process: TOWER_TEST_KILL_AT=NAME:N ends it there, the Nth time it comes by."""

from __future__ import annotations

import os
import signal

_wanted, _, _times = os.environ.get("TOWER_TEST_KILL_AT", "").partition(":")
_left = int(_times) if _times.isdecimal() else 1


def point(name: str) -> None:
    """Pass by; only where a test asked for it does the process end here, as by kill -9."""
    global _left
    if name == _wanted:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
