"""The mappings that ship: each test inside each file holds, and every milestone they speak of is in the rulebook."""

from __future__ import annotations

import pytest

from collector.canonical import split_type
from collector.mapping import Mapped, System, load_mappings
from collector.mapping.check import context_of, problem
from collector.mapping.model import Example, MappingFile
from rules.parse import SHIPPED, load_book

MAPPINGS = load_mappings()
ALL = [(s, m) for s in MAPPINGS.systems.values() for m in s.mappings]
EXAMPLES = [pytest.param(s, m, e, id=f"{m.name}: {e.name}") for s, m in ALL for e in m.examples]


@pytest.mark.parametrize(("system", "mapping", "example"), EXAMPLES)
def test_a_test_inside_a_mapping_holds(system: System, mapping: MappingFile, example: Example) -> None:
    assert problem(system, mapping, example) == ""


def test_every_milestone_that_a_mapping_speaks_of_is_in_the_rulebook() -> None:
    book = load_book(SHIPPED)
    spoken = {split_type(mapped.event["type"])[0] for s, m in ALL for e in m.examples for mapped in _events(s, e)}
    written = {e.milestone.split(".")[0] for _, m in ALL for e in m.emits if isinstance(e.milestone, str)}
    assert sorted((spoken | written) - set(book.milestones)) == []


def _events(system: System, example: Example) -> list[Mapped]:
    return [m for outcome in system.outcomes(example.body, context_of(example, system.name)) for m in outcome.events]


@pytest.mark.parametrize("mapping", [m for _, m in ALL], ids=lambda m: m.name)
def test_a_mapping_has_tests_and_each_of_its_constant_milestones_in_one(mapping: MappingFile) -> None:
    assert mapping.examples
    (system,) = [s for s, m in ALL if m is mapping]
    shown = {(m.event["type"]) for example in mapping.examples for m in _events(system, example)}
    for emit in mapping.emits:
        if isinstance(emit.milestone, str):
            suffix = "" if emit.polarity == "reached" else f".{emit.polarity}"
            assert f"o2c.{emit.milestone}{suffix}" in shown, f"{mapping.file}: no test gives {emit.milestone}{suffix}"
