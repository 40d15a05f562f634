"""Events through the door against the plain engine: acknowledged and drained events a second over its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import events
from bench.figure import Figure, median_of, spread
from bench.floor import floor, stored_events
from bench.process import tower
from bench.sender import burst

NAME = "ingest"
_LANES = 8
_BATCH = 1000


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run rounds of plain engine, then tower, each on fresh folders and the same new events."""
    orders, rounds = (3_000, 5) if quick else (12_000, 7)
    taken = [_round(folder / f"round-{number}", number, orders) for number in range(rounds)]
    count = orders * events.EVENTS_PER_ORDER

    def rate(seconds: list[float]) -> str:
        return f"{count / median_of(seconds):,.0f} events/s"

    acked = [r.raw_s / r.acked_s for r in taken]
    drained = [r.raw_s / r.drained_s for r in taken]
    cpu = median_of([r.raw_cpu_s / r.cpu_s for r in taken])
    return [
        Figure(NAME, "raw engine", rate([r.raw_s for r in taken]), note=f"{rounds} rounds of {count:,} events"),
        Figure(
            NAME, "acked", rate([r.acked_s for r in taken]), median_of(acked), at_least=0.7,
            note=f"{spread(acked)}; aim >= 1.0",
        ),
        Figure(
            NAME, "drained", rate([r.drained_s for r in taken]), median_of(drained), at_least=0.7,
            note=f"{spread(drained)}; aim >= 1.0",
        ),
        Figure(
            NAME, "processor time an event", f"{median_of([r.cpu_s for r in taken]) / count * 1e6:.0f} us", cpu,
            note=f"raw engine {median_of([r.raw_cpu_s for r in taken]) / count * 1e6:.0f} us; ratio raw over tower",
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Round:
    """Seconds of the plain engine, then of the tower to the last acknowledgement and to the last row."""

    raw_s: float
    raw_cpu_s: float
    acked_s: float
    drained_s: float
    cpu_s: float


def _round(folder: Path, number: int, orders: int) -> _Round:
    """Ingest the same new events both ways, each second round the tower first."""
    until = datetime.now(UTC) - timedelta(days=15)
    said = list(events.orders(number, orders, f"R{number}-", until))
    folder.mkdir(parents=True)
    file = folder / "journal.ndjson"
    file.write_bytes(b"".join(events.journal_lines(iter(said), until)))
    bodies = events.batches(iter(said), _BATCH)
    raw = floor(folder / "floor", file) if number % 2 == 0 else None
    with tower(folder / "tower", "collect") as running:
        cpu = running.cpu_s()
        began = time.perf_counter()
        acked_s = burst(running.port, bodies, _LANES)
        running.wait_stored()
        drained_s = time.perf_counter() - began
        cpu = running.cpu_s() - cpu
    if number == 0 and (found := stored_events(running.folder)) != len(said):
        raise RuntimeError(f"{len(said)} events were acknowledged and {found} are stored")
    raw_s, raw_cpu_s = raw or floor(folder / "floor", file)
    return _Round(raw_s, raw_cpu_s, acked_s, drained_s, cpu)
