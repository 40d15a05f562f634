"""Actions lived through by processes that are killed at seeded moments, and what must hold of them afterwards."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

from tests.actions.target_stub import Reply, TargetStub

ROOT = Path(__file__).parents[2]
_LONGEST_S = 0.6  # after the first word of a process


class Receiver(TargetStub):
    """Remembers the effect of each key: a repeat under one key has no second one."""

    def __init__(self) -> None:
        super().__init__()
        self.ill = True

    def reply_to(self, path: str) -> Reply:
        """Be silent, or busy, for some orders while ill."""
        if self.ill and "silent" in path:
            return Reply(delay_s=25)
        if self.ill and "busy" in path:
            return Reply(503, headers={"Retry-After": "2"})
        return Reply(200)

    def keys(self, order: str) -> list[str]:
        """Return the keys an order was asked for under, in order."""
        return [h.key for h in self.heard if h.path.endswith(f"/{order}")]


def start(folder: Path, url: str, mode: str) -> subprocess.Popen[str]:
    """Start a process that acts; see tests.actions.victim."""
    command = [sys.executable, "-m", "tests.actions.victim", str(folder), url, mode]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def live_through(folder: Path, rng: random.Random, kills: int) -> tuple[int, list[str]]:
    """Kill one process after another while it acts, then let one come to the end.

    Return how many were killed, and what is wrong (another key, no end, not whole in the audit), one line each.
    """
    receiver = Receiver()
    killed = 0
    try:
        for number in range(kills):
            victim = start(folder, receiver.url, "resume" if number else "begin")
            assert victim.stdout is not None
            victim.stdout.readline()
            time.sleep(rng.uniform(0, _LONGEST_S))
            killed += victim.poll() is None
            victim.kill()
            victim.communicate()
            receiver.ill = rng.random() < 0.5
        receiver.ill = False
        last = start(folder, receiver.url, "resume")
        output, _ = last.communicate(timeout=60)
    finally:
        receiver.close()
    lines = output.splitlines()
    if not lines or not lines[-1].startswith("{"):
        return killed, [f"did not come to an end: {lines[-1:]}"]
    rows = json.loads([line for line in lines if line.startswith("[")][-1])
    wrong = [f"{order} is {state}" for order, state, *_ in rows if state not in ("accepted", "verified")]
    wrong += [
        f"{order} was asked for under {set(receiver.keys(order))}, not {key}"
        for order, _, _, key, _ in rows
        if set(receiver.keys(order)) != {key}
    ]
    return killed, wrong + ([] if json.loads(lines[-1]) == {"audit": None} else [f"audit: {lines[-1]}"])
