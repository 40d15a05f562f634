"""Actions lived through by processes that are killed at seeded moments, and what must hold of them afterwards."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

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


def live_and_die(folder: Path, receiver: Receiver, rng: random.Random, mode: str) -> bool:
    """Kill a process at a moment while it acts; return whether it was still at it."""
    victim = start(folder, receiver.url, mode)
    assert victim.stdout is not None
    victim.stdout.readline()
    time.sleep(rng.uniform(0, _LONGEST_S))
    killed = victim.poll() is None
    victim.kill()
    victim.communicate()
    return killed


def come_to_the_end(folder: Path, receiver: Receiver) -> tuple[list[str], dict[str, list[Any]]]:
    """Let a process finish with a receiver that is well again.

    Return what is wrong (another key, no end, not whole in the audit), one line each, and the last row of each order.
    """
    receiver.ill = False
    output, _ = start(folder, receiver.url, "resume").communicate(timeout=60)
    lines = output.splitlines()
    if not lines or not lines[-1].startswith("{"):
        return [f"did not come to an end: {lines[-1:]}"], {}
    rows = json.loads([line for line in lines if line.startswith("[")][-1])
    wrong = [f"{order} is {state}" for order, state, *_ in rows if state not in ("accepted", "verified")]
    wrong += [
        f"{order} was asked for under {set(receiver.keys(order))}, not {key}"
        for order, _, _, key, _ in rows
        if set(receiver.keys(order)) != {key}
    ]
    wrong += [] if json.loads(lines[-1]) == {"audit": None} else [f"audit: {lines[-1]}"]
    return wrong, {row[0]: row for row in rows}


def live_through(folder: Path, rng: random.Random, kills: int) -> tuple[int, list[str]]:
    """Kill one process after another while it acts, then let one come to the end.

    Return how many were killed, and what is wrong.
    """
    receiver = Receiver()
    killed = 0
    try:
        for number in range(kills):
            killed += live_and_die(folder, receiver, rng, "resume" if number else "begin")
            receiver.ill = rng.random() < 0.5
        return killed, come_to_the_end(folder, receiver)[0]
    finally:
        receiver.close()
