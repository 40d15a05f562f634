"""From one event at the door to its verdict on the board, on a live tower: accepted to visible."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench import events
from bench.figure import Figure, percentile
from bench.process import AUTH, tower
from bench.sender import burst

NAME = "visible"
_LIMIT_S = 30.0


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Fill a tower with some orders, then send single events, waiting at the door and looking at the board in turns."""
    known, rounds = (300, 20) if quick else (5_000, 60)
    rng = random.Random(5)
    until = datetime.now(UTC) - timedelta(days=15)
    waited: list[float] = []
    looked: list[float] = []
    with (
        tower(folder / "tower", "run") as running,
        httpx.Client(base_url=running.url, headers=AUTH, timeout=60, trust_env=False) as client,
    ):
        burst(running.port, events.batches(events.orders(1, known, "V", until), 1000), 4)
        running.wait_stored()
        _send(client, _captured(rng, "V-first"), wait=True)
        for number in range(rounds):
            time.sleep(rng.uniform(0, 0.3))
            began = time.perf_counter()
            _send(client, _captured(rng, f"W{number}"), wait=True)
            waited.append(time.perf_counter() - began)
            time.sleep(rng.uniform(0, 0.3))
            name = f"X{number}"
            _send(client, _captured(rng, name), wait=False)
            began = time.perf_counter()
            _until(lambda name=name: _shows(client, name))  # type: ignore[misc]  # bound now on purpose
            looked.append(time.perf_counter() - began)
    note = f"p99 judged; {rounds} events, {known:,} orders known"
    return [_figure("accepted to on the board", looked, note), _figure("answer of ?wait=stored", waited, note)]


def _figure(name: str, seconds: list[float], note: str) -> Figure:
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return Figure(NAME, name, f"p50 {p50 * 1e3:.0f} ms", p99, at_most=2, unit=" s", note=note)


def _captured(rng: random.Random, name: str) -> bytes:
    (said,) = events.order(rng, name, datetime.now(UTC), 1)
    return said.text


def _send(client: httpx.Client, body: bytes, *, wait: bool) -> None:
    query = "?wait=stored" if wait else ""
    client.post(
        f"/v1/events{query}", content=body, headers={"Content-Type": "application/cloudevents+json"}
    ).raise_for_status()


def _shows(client: httpx.Client, name: str) -> bool:
    found = client.get("/v1/orders", params={"q": name, "limit": 1}).raise_for_status().json()["orders"]
    return bool(found) and found[0]["order_id"] == name


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _LIMIT_S
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"the order was not on the board within {_LIMIT_S:.0f} s")
        time.sleep(0.01)
