"""Measures an empty run of a page before and after the warm-up's freeze; prints the two medians in ms. Run as a process."""

from __future__ import annotations

import functools
import gc
import statistics
import sys
import time

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboards.asgi import warm_up

RUNS = 7


def empty_run_ms() -> float:
    """Return the median time of a run that draws nothing."""
    at = AppTest.from_string("pass", default_timeout=30).run()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        at.run()
        gc.collect(2)  # what Streamlit does after each run of a page (runner.postScriptGC), and AppTest leaves out
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


manifest_scanner.scan_component_manifests = functools.cache(
    manifest_scanner.scan_component_manifests
)  # once, as a server
warm_up()
gc.unfreeze()
before = empty_run_ms()
gc.collect()
gc.freeze()
after = empty_run_ms()
sys.stdout.write(f"{before:.3f} {after:.3f}\n")
