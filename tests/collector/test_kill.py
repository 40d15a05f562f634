"""kill -9 of a real process while events arrive: nothing acknowledged is lost, nothing is there in part."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.collector.desk import NDJSON, event
from tests.commands.process import migrated
from tests.loopback import status
from tower.store.client import Store

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("O2C_KILLS", "1"))
BATCH = 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Sender(threading.Thread):
    """Posts numbered batches and notes which were acknowledged."""

    def __init__(self, url: str, round_: int, lane: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self._url = url
        self._prefix = f"{round_}-{lane}"
        self._halt = threading.Event()

    def run(self) -> None:
        number = 0
        with httpx.Client(headers={"Authorization": "Bearer admin", "Content-Type": NDJSON}) as client:
            while not self._halt.is_set():
                names = [f"{self._prefix}-{number}-{i}" for i in range(BATCH)]
                number += 1
                try:
                    answer = client.post(self._url, content=b"\n".join(msgspec.json.encode(event(n)) for n in names))
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    assert answer.json()["accepted"] == BATCH
                    self.acknowledged += [f"e-{n}" for n in names]

    def halt(self) -> None:
        self._halt.set()
        self.join(20)


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.collector.server", str(folder), str(port)], cwd=ROOT, stdout=log, stderr=log
        )


def copy(folder: Path) -> None:
    """Lay a migrated store where the processes look for theirs."""
    shutil.copytree(migrated(), folder / "store", symlinks=True)


def answers(folder: Path, queries: Sequence[str]) -> list[Sequence[Sequence[Any]]]:
    """Return the rows of each query on the store that the processes left; for modules that do not use the shelf."""
    store = Store(f"chdb://{folder / 'store'}")
    try:
        with store.reader() as client:
            return [client.query(query).result_rows for query in queries]
    finally:
        store.close()


def wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        assert process.poll() is None, "the server ended by itself"
        if status(port, "/"):
            return
        time.sleep(0.05)
    raise AssertionError("the server did not come up")


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    copy(tmp_path)
    seed = random.Random(20260301)
    acknowledged: list[str] = []
    for round_ in range(KILLS):
        port = free_port()
        url = f"http://127.0.0.1:{port}/v1/events"
        process = serve(tmp_path, port)
        senders = [Sender(url, round_, lane) for lane in range(2)]
        try:
            wait_until_up(port, process)
            for sender in senders:
                sender.start()
            time.sleep(0.5 + seed.random())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for sender in senders:
            sender.halt()
            acknowledged += sender.acknowledged
    assert len(acknowledged) > KILLS * BATCH
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/events"
    process = serve(tmp_path, port)
    try:
        wait_until_up(port, process)
        answer = httpx.post(
            url,
            params={"wait": "stored"},
            headers={"Authorization": "Bearer admin", "Content-Type": "application/json"},
            content=msgspec.json.encode(event("last")),
            timeout=60,
        )
        assert answer.json()["accepted"] == 1
    finally:
        process.kill()
        process.wait()
    acked = tmp_path / "acked"
    acked.write_text("\n".join(acknowledged))
    sent = f"file('{acked}', 'LineAsString', 'line String')"
    queries = [
        f"SELECT count() FROM {sent} WHERE line NOT IN (SELECT event_id FROM events)",
        "SELECT count() - uniqExact(ev) FROM events",
        "SELECT count() FROM events WHERE (ev, body) NOT IN (SELECT ev, body FROM identities)",
        "SELECT count() - (SELECT sum(events) FROM heard) FROM events",
    ]
    lost, doubled, unlike_identities, unlike_heard = answers(tmp_path, queries)
    assert (lost, doubled, unlike_identities, unlike_heard) == ([(0,)],) * 4
