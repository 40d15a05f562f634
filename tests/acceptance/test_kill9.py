"""kill -9 of `tower run` while events arrive: nothing acknowledged is lost, nothing is there in part, all views agree.

One kill in the everyday run; `O2C_KILLS=20` gives the full count. Only the process started here is killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.agreement import read
from tests.acceptance.events import BOOKS, NDJSON, event, lines
from tests.commands.process import TOKEN, Running
from tower.store.client import Store

KILLS = int(os.environ.get("O2C_KILLS", "1"))
ORDERS = 40  # in one batch, which also ships those of the batch before
MOST_BATCHES = 150  # for each life of the tower; it is killed long before
T0 = (datetime.now(UTC) - timedelta(days=40)).replace(microsecond=0)


def batch(number: int) -> list[dict[str, Any]]:
    """Return the events of a batch: new orders, and the shipments of every order but one of the batch before."""
    at = T0 + timedelta(seconds=number)
    accepted = [
        event(
            "/erp/main",
            f"a-{number}-{i}",
            "order_accepted",
            at,
            order_id=f"K-{number}-{i}",
            amount="10.50",
            currency="EUR",
        )
        for i in range(ORDERS)
    ]
    shipped = [
        event(
            "/wms/main",
            f"s-{number}-{i}",
            "shipment_confirmed",
            at,
            order_id=f"K-{number - 1}-{i}",
            shipment_id=f"P-{number}-{i}",
        )
        for i in range(1, ORDERS if number else 1)
    ]
    return accepted + shipped


class Sender(threading.Thread):
    """Posts batch after batch over all lives of the tower; one without an answer is in turn sent again and given up."""

    def __init__(self, url: str) -> None:
        super().__init__(name="sender", daemon=True)
        self.url = url
        self.acknowledged: dict[int, list[dict[str, Any]]] = {}
        self.given_up: set[int] = set()
        self.trouble: list[str] = []
        self.sent_again = 0
        self._halt = threading.Event()
        self.open_door = threading.Event()  # set while a tower is up
        self.left = 0

    def run(self) -> None:
        number = 0
        headers = {"Authorization": f"Bearer {TOKEN}", **NDJSON}
        with httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
            while not self._halt.is_set():
                if self.left <= 0 or not self.open_door.wait(0.2):
                    time.sleep(0.02)
                    continue
                if self._post(client, number):
                    number += 1

    def _post(self, client: httpx.Client, number: int) -> bool:
        """Send one batch; whether to go on with the next."""
        events = batch(number)
        try:
            reply = client.post(f"{self.url}/v1/events", content=lines(events))
        except httpx.TransportError:
            self.open_door.clear()
            if self.sent_again > len(self.given_up):
                self.given_up.add(number)
                return True
            self.sent_again += 1
            return False
        if reply.status_code in (429, 503):
            time.sleep(0.2)
            return False
        counts = reply.json()
        if reply.status_code != 200 or counts["accepted"] + counts["duplicate"] != len(events):
            self.trouble.append(f"{reply.status_code} {reply.text[:300]}")
        self.acknowledged[number] = events
        self.left -= 1
        return True

    def halt(self) -> None:
        self._halt.set()
        self.open_door.set()
        self.join(90)
        assert not self.is_alive()


def agreement(folder: Path) -> dict[str, Any]:
    """Return what the store of a stopped tower holds, and whether it agrees with itself."""
    store = Store(f"chdb://{folder / 'store'}")
    try:
        return read(store)
    finally:
        store.close()


def live_for_a_while(tower: Running, sender: Sender, chance: random.Random) -> None:
    """Let batches arrive until some are acknowledged and a moment of chance has come, then kill -9."""
    with tower:
        before, wanted = len(sender.acknowledged), chance.randint(2, 15)
        sender.left = MOST_BATCHES
        sender.open_door.set()
        for _ in range(3000):
            if len(sender.acknowledged) >= before + wanted:
                break
            assert tower.process.poll() is None, tower.log.read_text()[-3000:]
            time.sleep(0.02)
        time.sleep(chance.random())
        assert tower.process.poll() is None, tower.log.read_text()[-3000:]
        os.kill(tower.process.pid, signal.SIGKILL)
        tower.process.wait()
        sender.open_door.clear()


@pytest.mark.timeout(120 + 60 * KILLS)
def test_killed_while_events_arrive_it_loses_nothing_and_agrees_with_itself(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    tower = Running(tmp_path / "var", TOWER_BOOK=str(BOOKS / "small"))
    sender = Sender(tower.url)
    sender.start()
    try:
        for _ in range(KILLS):
            live_for_a_while(tower, sender, chance)
    finally:
        sender.halt()
    assert sender.trouble == []
    with tower, tower.client() as client:
        last = batch(1_000_000)
        for _ in range(10):  # a backlog may take longer than one request waits
            reply = client.post("/v1/events", params={"wait": "stored"}, content=lines(last), headers=NDJSON)
            if reply.status_code != 503:
                break
        assert reply.status_code == 200, reply.text
        on_board = client.get("/v1/orders", params={"limit": "1"}).json()["total"]
        log = tower.log.read_text()
    assert "Traceback" not in log

    store = agreement(tmp_path / "var")
    held = Counter((source, name) for source, name, _, _ in store["events"])
    acknowledged = {(e["source"], e["id"]) for events in [*sender.acknowledged.values(), last] for e in events}
    lost = acknowledged - held.keys()
    partial = [n for n in sender.given_up if len({(e["source"], e["id"]) in held for e in batch(n)}) > 1]
    accepted = {order for _, _, milestone, order in store["events"] if milestone == "order_accepted"}
    shipped = {
        f"K-{int(name.split('-')[1]) - 1}-{name.split('-')[2]}" for source, name in held if source == "/wms/main"
    }
    expected = {order: "done" if order in shipped else "late" for order in accepted}
    disagreeing = sum(map(len, store["differences"].values()))
    sys.stdout.write(
        f"\n{KILLS} kills: {len(acknowledged)} events in {len(sender.acknowledged)} batches acknowledged, "
        f"{sender.sent_again} sent again, {len(sender.given_up)} given up; "
        f"lost={len(lost)} disagreeing={disagreeing} partial={len(partial)}\n"
    )
    assert len(sender.acknowledged) >= 2 * KILLS
    assert lost == set()
    assert partial == []
    assert store["differences"] == {"orders": [], "breaches": []}
    assert dict(store["orders"]) == expected
    assert on_board == len(expected)
    assert store["open_breaches"] == sum(state == "late" for state in expected.values())
    assert (store["quarantined"], store["conflicts"], store["facts_twice"]) == (0, 0, 0)
