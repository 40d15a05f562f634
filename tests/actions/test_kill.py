"""Killed with items in every state, and again while the next process goes on: the keys stay, and nothing takes effect twice."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

from tests.actions.kill import Receiver, come_to_the_end, live_and_die, start
from tests.commands.process import migrated

KILLS = int(os.environ.get("O2C_KILLS", "1"))
WANTED = {
    "quick-1": "accepted", "quick-2": "accepted", "moved-1": "verified", "silent-1": "sent", "silent-2": "sent",
    "busy-1": "sent", "late-1": "requested", "late-2": "requested",
}  # fmt: skip


def test_kills_in_every_state_and_at_any_moment_after_repeat_no_effect(tmp_path: Path) -> None:
    shutil.copytree(migrated(), tmp_path / "store", symlinks=True)
    receiver = Receiver()
    victim = start(tmp_path, receiver.url, "begin")
    try:
        assert victim.stdout is not None
        before: dict[str, list[object]] = {}
        for line in victim.stdout:
            before = {r[0]: r for r in json.loads(line)} if line.startswith("[") else before
            sent = [row for row in before.values() if row[1] == "sent"]
            if {o: r[1] for o, r in before.items()} == WANTED and [r[4] for r in sent].count(0):
                break  # one waits to be sent again
        victim.kill()
        assert {order: row[1] for order, row in before.items()} == WANTED
        heard_before = {order: receiver.keys(order) for order in before}
        rng = random.Random(5)
        for number in range(KILLS - 1):
            assert live_and_die(tmp_path, receiver, rng, "resume") or number
        wrong, after = come_to_the_end(tmp_path, receiver)
    finally:
        victim.kill()
        victim.communicate()
        receiver.close()
    assert wrong == []
    assert {order: row[3] for order, row in after.items()} == {order: row[3] for order, row in before.items()}
    for order, row in before.items():  # what had its answer is not asked again
        if row[1] in ("accepted", "verified"):
            assert receiver.keys(order) == heard_before[order] and len(heard_before[order]) == 1
