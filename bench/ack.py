"""How long an acknowledgement takes while events arrive on a timetable at half the plain engine's rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import events
from bench.figure import Figure, percentile
from bench.floor import floor
from bench.process import tower
from bench.sender import burst, paced

NAME = "ack"
_LANES = 32
_BATCH = 1000
_WARM_UP = 5


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Find the plain engine's rate, then send at half of it; several rounds, latencies pooled."""
    orders, rounds = (5_000, 2) if quick else (15_000, 4)
    late: list[float] = []
    rates = []
    for number in range(rounds):
        until = datetime.now(UTC) - timedelta(days=15)
        said = list(events.orders(100 + number, orders, f"A{number}-", until))
        place = folder / f"round-{number}"
        place.mkdir(parents=True)
        file = place / "journal.ndjson"
        file.write_bytes(b"".join(events.journal_lines(iter(said), until)))
        rate = len(said) / floor(place / "floor", file)[0] / 2
        rates.append(rate)
        with tower(place / "tower", "collect") as running:
            bodies = events.batches(iter(said), _BATCH)
            burst(running.port, bodies[:_WARM_UP], 2)
            running.wait_stored()
            late += paced(running.port, bodies[_WARM_UP:], rate / _BATCH, _LANES)
    at = f"sent at {min(rates):,.0f} to {max(rates):,.0f} events/s in batches of {_BATCH}"
    return [
        Figure(NAME, "p50", f"{percentile(late, 0.5) * 1e3:.0f} ms", note=at),
        Figure(
            NAME, "p99", f"{percentile(late, 0.99) * 1e3:.0f} ms", percentile(late, 0.99) * 1e3, at_most=150,
            unit=" ms", note=f"aim <= 60 ms; {len(late)} batches",
        ),
    ]  # fmt: skip
