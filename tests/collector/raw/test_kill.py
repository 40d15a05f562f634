"""kill -9 while native messages arrive: each acknowledged one is kept once, and what it says is a fact once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.collector.ingest.systems import SECRET
from tests.collector.test_kill import answers, copy, free_port, serve, wait_until_up

KILLS = int(os.environ.get("O2C_KILLS", "1"))
HEADERS = {"Authorization": f"Bearer {SECRET}", "X-Shopify-Topic": "orders/create"}
PADDING = "x" * 4000


def order(number: int) -> bytes:
    text = f'{{"id": {number}, "created_at": "2026-03-01T10:00:00Z", "total_price": "1.00", "note": "{PADDING}"}}'
    return text.encode() if number % 10 else b"poison %d" % number


class Sender(threading.Thread):
    """Posts numbered orders, every tenth of them poison, and notes which were acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: dict[int, str] = {}
        self._url, self._first = url, first
        self._halt = threading.Event()

    def run(self) -> None:
        number = self._first
        with httpx.Client(headers=HEADERS) as client:
            while not self._halt.is_set():
                number += 1
                try:
                    answer = client.post(self._url, content=order(number))
                except httpx.HTTPError:
                    return
                if answer.status_code == 202:
                    self.acknowledged[number] = answer.json()["raw_id"]

    def halt(self) -> None:
        self._halt.set()
        self.join(20)


@pytest.mark.timeout(300)
def test_no_acknowledged_message_is_lost_and_none_counts_twice(tmp_path: Path) -> None:
    copy(tmp_path)
    seed = random.Random(20260302)
    acknowledged: dict[int, str] = {}
    for round_ in range(KILLS):
        port = free_port()
        url = f"http://127.0.0.1:{port}/v1/ingest/native"
        process = serve(tmp_path, port)
        senders = [Sender(url, (round_ * 2 + lane + 1) * 1_000_000) for lane in range(2)]
        try:
            wait_until_up(port, process)
            for sender in senders:
                sender.start()
            time.sleep(0.7 + seed.random())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for sender in senders:
            sender.halt()
            acknowledged |= sender.acknowledged
    assert len(acknowledged) > KILLS * 50
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/ingest/native"
    process = serve(tmp_path, port)
    try:
        wait_until_up(port, process)
        again = httpx.post(
            url, headers=HEADERS, content=order(max(acknowledged)), params={"wait": "stored"}, timeout=60
        )
        assert again.json() == {"raw_id": acknowledged[max(acknowledged)], "duplicate": True}
    finally:
        process.kill()
        process.wait()
    acked = tmp_path / "acked"
    acked.write_text("\n".join(f"{number}\t{raw_id}" for number, raw_id in acknowledged.items()))
    sent = f"file('{acked}', 'TSV', 'number UInt64, raw_id String')"
    usable = f"SELECT raw_id FROM {sent} WHERE number % 10 != 0"
    queries = [
        f"SELECT count() FROM {sent} WHERE raw_id NOT IN (SELECT raw_id FROM raw)",
        "SELECT count() - uniqExact(raw_id) FROM raw",
        f"SELECT count() FROM ({usable}) WHERE raw_id NOT IN (SELECT raw_id FROM events WHERE quarantine = '')",
        f"SELECT count() FROM {sent} WHERE number % 10 = 0 AND raw_id NOT IN (SELECT raw_id FROM quarantine)",
        "SELECT count() FROM identities FINAL WHERE ev IN (SELECT ev FROM identities FINAL GROUP BY ev HAVING count() > 1)",
        "SELECT count() FROM events WHERE raw_id NOT IN (SELECT raw_id FROM raw)",
    ]
    found = answers(tmp_path, queries)
    assert found == [[(0,)]] * len(queries)
