"""A figure is judged by its bound, and a percentile is a value that was measured."""

from __future__ import annotations

import math

import pytest

from bench.figure import Figure, percentile, table


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("ingest", "drained", "1", 0.7, at_least=0.7), "ok"),
        (Figure("ingest", "drained", "1", 0.69, at_least=0.7), "miss"),
        (Figure("kill9", "lost", "0", 0.0, at_most=0), "ok"),
        (Figure("kill9", "lost", "1", 1.0, at_most=0), "miss"),
        (Figure("kill9", "lost", "not run", at_most=0), "skipped"),
        (Figure("ack", "p99", "-", math.nan, at_most=150), "skipped"),
        (Figure("ingest", "raw engine", "1"), "info"),
    ],
)
def test_verdict(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50, 99, 100)
    assert percentile([7.0], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_the_table_has_a_line_for_each_figure() -> None:
    text = table([Figure("ack", "p99", "48 ms", 48.2, at_most=150, unit=" ms", note="aim <= 60 ms")])
    assert " ".join(text.splitlines()[1].split()) == "ack p99 48 ms 48.2 ms <= 150 ms ok aim <= 60 ms"
