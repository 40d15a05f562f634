"""`python -m bench`: every measurement, a table of ratios against their targets, and the same as JSON.

Figures mean something only beside the others of the same run; docs/performance.md says what each one is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bench import (
    ack,
    alerts,
    backtest,
    board,
    calibration,
    decode,
    faults,
    fuzz,
    ingest,
    kill9,
    native,
    recompute,
    spans,
    tick,
    visible,
)
from bench.figure import Figure, table
from bench.own import in_own_process

MEASUREMENTS: dict[str, Callable[..., list[Figure]]] = {
    m.NAME: m.measure
    for m in (
        ingest,
        ack,
        native,
        recompute,
        spans,
        decode,
        fuzz,
        tick,
        backtest,
        board,
        visible,
        alerts,
        kill9,
        faults,
        calibration,
    )
}


def main() -> int:
    """Run what was asked for; 1 when a target was missed or a measurement failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: about three minutes instead of fifteen")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="one measurement; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    for name in arguments.only or MEASUREMENTS:
        began = time.perf_counter()
        print(f"{name} ...", file=sys.stderr, end=" ", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-", ignore_cleanup_errors=True) as folder:
            figures += in_own_process(partial(MEASUREMENTS[name], Path(folder), quick=arguments.quick))
        print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(table(figures))
    if arguments.json:
        rows = [{**asdict(f), "target": f.target, "verdict": f.verdict} for f in figures]
        arguments.json.write_text(json.dumps({"quick": arguments.quick, "figures": rows}, indent=1) + "\n")
    return int(any(f.verdict == "miss" for f in figures))


if __name__ == "__main__":
    sys.exit(main())
