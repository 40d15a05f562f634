"""The samples that the bench damages are sound before, and damage shows as a refusal, never as a crash."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from bench.decode import SAMPLES, damaged, fuzz
from collector.decoders import check_spec, decode


@pytest.mark.parametrize(
    ("spec", "body"), SAMPLES, ids=lambda value: str(value["format"]) if isinstance(value, dict) else ""
)
def test_the_samples_are_sound(spec: Mapping[str, Any], body: bytes) -> None:
    check_spec(spec)
    units = list(decode(spec, body))
    assert units
    assert not [note for unit in units for note in unit.notes if "new column" not in note]


def test_damage_never_crashes_and_is_the_same_each_time() -> None:
    tried, crashed, _ = fuzz(900)
    assert (tried, crashed) == (900, 0)
    assert damaged(b"sample", random.Random(7)) == damaged(b"sample", random.Random(7))
