"""One history lived through by processes that are killed at chosen points, and what must hold of it afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.actions.target_stub import TargetStub
from tests.alerts.replay import REASONS
from tower.store.client import Store

POINTS = ("state", "notices", "closed", "cursor", "audited", "claimed", "sent", "answer")
ROOT = Path(__file__).parents[2]


def live_through(folder: Path, points: list[str]) -> tuple[int, list[str]]:
    """Let one process after another be killed at these points, then one come to the end.

    Return how many were killed, and what is wrong (lost, doubled, out of order, not in the audit), one line each.
    """
    target = TargetStub()
    killed = 0
    try:
        for name in [*points, ""]:
            done = _process(folder, target.url, name)
            if done not in (0, -signal.SIGKILL):
                return killed, [f"ended with {done}"]
            killed += done == -signal.SIGKILL
        store = Store(f"chdb://{folder}/store")
        with store.reader() as client:
            sql = "SELECT channel, reason, notice_id, state FROM notices FINAL ORDER BY at, number, channel"
            rows = client.query(sql).result_rows
            audited = {row[0] for row in client.query("SELECT subject FROM audit WHERE act = 'notice'").result_rows}
        store.close()
    finally:
        target.close()
    inbox = [reason for channel, reason, _, _ in rows if channel == "inbox"]
    wrong = [] if inbox == REASONS else [f"inbox {inbox}"]
    wrong += [f"{channel} {reason} is {state}" for channel, reason, _, state in rows if state != "sent"]
    expected = {notice_id for channel, _, notice_id, _ in rows if channel == "webhook"}
    heard = Counter(h.headers["webhook-id"] for h in target.heard)
    wrong += [f"lost on the wire: {i}" for i in expected - set(heard)]
    wrong += [f"an id nobody decided on: {i}" for i in set(heard) - expected]
    wrong += [f"not in the audit: {i}" for i in heard if not any(i in subject for subject in audited)]
    bodies = {(h.headers["webhook-id"], str(h.body)) for h in target.heard}
    wrong += [f"two bodies under one id: {i}" for i, n in Counter(i for i, _ in bodies).items() if n > 1]
    return killed, wrong


def _process(folder: Path, url: str, name: str) -> int:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOWER_")}
    if name:
        environment["TOWER_TEST_KILL_AT"] = name
    command = [sys.executable, "-m", "tests.alerts.replay", str(folder), url]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=60).returncode
