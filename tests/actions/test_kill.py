"""Killed with items in every state: the next process goes on under the same keys, and nothing takes effect twice."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

from tests.actions.kill import Receiver, live_through, start


def states(line: str) -> dict[str, str]:
    return {row[0]: row[1] for row in json.loads(line)}


WANTED = {
    "quick-1": "accepted", "quick-2": "accepted", "moved-1": "verified", "silent-1": "sent", "silent-2": "sent",
    "busy-1": "sent", "late-1": "requested", "late-2": "requested",
}  # fmt: skip


def test_a_kill_in_every_state_repeats_no_effect(tmp_path: Path) -> None:
    receiver = Receiver()
    victim = start(tmp_path, receiver.url, "begin")
    try:
        assert victim.stdout is not None
        last = ""
        deadline = time.monotonic() + 60
        for last in victim.stdout:
            assert time.monotonic() < deadline, last
            if last.startswith("[") and sorted(states(last).values()) == sorted(WANTED.values()):
                rows = {r[0]: r for r in json.loads(last)}
                if [r[4] for o, r in rows.items() if r[1] == "sent"].count(0):  # one that waits to be sent again
                    break
        victim.kill()
        victim.wait(timeout=10)
        before = {r[0]: r for r in json.loads(last)}
        heard_before = {order: receiver.keys(order) for order in before}
        receiver.ill = False
        again = start(tmp_path, receiver.url, "resume")
        output, _ = again.communicate(timeout=60)
    finally:
        victim.kill()
        victim.communicate()
        receiver.close()
    lines = [line for line in output.splitlines() if line.startswith("[")]
    after: dict[str, Any] = {r[0]: r for r in json.loads(lines[-1])}
    assert {order: row[3] for order, row in after.items()} == {order: row[3] for order, row in before.items()}
    for order, row in after.items():
        assert set(receiver.keys(order)) == {row[3]}, f"{order} took effect under another key"
        assert row[1] in ("accepted", "verified"), (order, row)
    for order, row in before.items():  # what had its answer is not asked again
        if row[1] in ("accepted", "verified"):
            assert receiver.keys(order) == heard_before[order] and len(heard_before[order]) == 1
    assert json.loads(output.splitlines()[-1]) == {"audit": None}


def test_kills_at_any_moment_repeat_no_effect(tmp_path: Path) -> None:
    killed, wrong = live_through(tmp_path, random.Random(5), 3)
    assert killed, "the first one waits for answers that do not come; later ones may be done before they are killed"
    assert wrong == []
