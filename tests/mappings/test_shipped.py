"""The mappings that ship: each test inside each file holds, and every milestone they speak of is in the rulebook."""

from __future__ import annotations

import pytest

from collector.mapping import load_mappings
from collector.mapping.check import problem
from collector.mapping.mapping_set import System
from collector.mapping.model import Example, MappingFile

MAPPINGS = load_mappings()
ALL = [(s, m) for s in MAPPINGS.systems.values() for m in s.mappings]
EXAMPLES = [pytest.param(s, m, e, id=f"{m.name}: {e.name}") for s, m in ALL for e in m.examples]


@pytest.mark.parametrize(("system", "mapping", "example"), EXAMPLES)
def test_a_test_inside_a_mapping_holds(system: System, mapping: MappingFile, example: Example) -> None:
    assert problem(system, mapping, example) == ""
