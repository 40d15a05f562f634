"""A small part of `python -m bench --only fuzz`: strange input ends as a result or a stated refusal, in bounded time."""

from __future__ import annotations

import random

import pytest

from bench.fuzz import invented, megabytes, mutated
from bench.fuzz_targets import Target, targets

EVERY = list(targets())


def test_damaged_input_of_every_reader_is_a_result_or_a_refusal() -> None:
    tally = mutated(EVERY, 4_000)
    assert tally.tried >= 4_000
    assert tally.wrong == []
    assert {t.family for t in EVERY} >= {"decoder", "mapping", "verifier", "events", "otlp"}


def test_invented_input_is_a_result_or_a_refusal() -> None:
    tally = invented(EVERY, 100)
    assert tally.tried >= 100
    assert tally.wrong == []


def test_a_megabyte_is_read_within_two_seconds() -> None:
    tally = megabytes([t for t in EVERY if t.family == "events"][:1])
    assert tally.tried > 5
    assert tally.wrong == []
    assert tally.slowest_s < 2


def test_what_is_wrong_is_told_with_its_input(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(body: bytes, _: random.Random) -> str:
        raise IndexError(len(body))

    tally = mutated([Target("decoder", "broken", b"sample", broken)], 40)
    assert len(tally.wrong) == 40
    assert all(told.startswith("decoder broken: IndexError") for told in tally.wrong)
    assert "from b'" in capsys.readouterr().out
