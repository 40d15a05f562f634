"""The board's questions have the same answers in both engines; the bench refuses to time anything else."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.figure import Figure
from bench.own import in_own_process


def measured(folder: Path) -> list[Figure]:
    """Compare at a small size; DuckDB is loaded only here, in the other process."""
    from bench import board

    return board.at_size(folder, 20_000, 1)


def test_both_engines_agree(tmp_path: Path) -> None:
    figures = in_own_process(partial(measured, tmp_path / "20000"))
    assert [f.name.split(",")[0] for f in figures] == ["stuck", "one stage", "stage totals"]
    assert all(f.judged and f.judged > 0 for f in figures)
