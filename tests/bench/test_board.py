"""The board's questions have the same answers in both engines; measure() refuses to time anything else."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench import board
from bench.own import in_own_process


def test_both_engines_agree(tmp_path: Path) -> None:
    figures = in_own_process(partial(board.at_size, tmp_path / "20000", 20_000, 1))
    assert [f.name.split(",")[0] for f in figures] == ["stuck", "one stage", "stage totals"]
    assert all(f.judged and f.judged > 0 for f in figures)
