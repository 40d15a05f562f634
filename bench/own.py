"""A process of its own for one measurement: an embedded store keeps its folder, and memory, for a process's life."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from bench.figure import Figure


def in_own_process(measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Return what it measures in a fresh interpreter; raises what it raises there."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure).result()
