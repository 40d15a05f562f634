"""Events through the door against the plain engine: acknowledged and drained events a second over its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import events
from bench.figure import Figure, median_of
from bench.floor import floor_s, stored_events
from bench.process import tower
from bench.sender import burst

NAME = "ingest"
_LANES = 8
_BATCH = 1000


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run rounds of plain engine, then tower, each on fresh folders and the same new events."""
    orders, rounds = (4_000, 3) if quick else (15_000, 5)
    acked, drained, floors, cpus = [], [], [], []
    for number in range(rounds):
        raw, took = _round(folder / f"round-{number}", number, orders)
        count = orders * events.EVENTS_PER_ORDER
        floors.append(count / raw)
        acked.append(count / took[0])
        drained.append(count / took[1])
        cpus.append(took[2] / count * 1e6)
    pairs = list(zip(acked, drained, floors, strict=True))
    return [
        Figure(NAME, "raw engine", f"{median_of(floors):,.0f} events/s"),
        Figure(NAME, "acked", f"{median_of(acked):,.0f} events/s", median_of([a / f for a, _, f in pairs]), at_least=1.0),
        Figure(
            NAME, "drained", f"{median_of(drained):,.0f} events/s", median_of([d / f for _, d, f in pairs]),
            at_least=0.7, note=f"aim >= 1.0; best round {max(d / f for _, d, f in pairs):.2f}",
        ),
        Figure(NAME, "processor, door and drain", f"{median_of(cpus):.0f} us an event"),
    ]  # fmt: skip


def _round(folder: Path, number: int, orders: int) -> tuple[float, tuple[float, float, float]]:
    """Return the plain engine's seconds, and the tower's to the last acknowledgement, to the last row, of processor."""
    until = datetime.now(UTC) - timedelta(days=15)
    said = list(events.orders(number, orders, f"R{number}-", until))
    folder.mkdir(parents=True)
    file = folder / "journal.ndjson"
    file.write_bytes(b"".join(events.journal_lines(iter(said), until)))
    raw = floor_s(folder / "floor", file)
    bodies = events.batches(iter(said), _BATCH)
    with tower(folder / "tower", "collect") as running:
        before = running.cpu_s()
        began = time.perf_counter()
        sent = burst(running.port, bodies, _LANES)
        running.wait_stored()
        total = time.perf_counter() - began
        cpu = running.cpu_s() - before
    if number == 0 and (found := stored_events(running.folder)) != len(said):
        raise RuntimeError(f"{len(said)} events were acknowledged and {found} are stored")
    return raw, (sent.seconds, total, cpu)
