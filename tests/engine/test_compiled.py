"""The SQL a rulebook becomes is stable text: a change of it shows in review."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.compile import compile_book
from rules.parse import SHIPPED, load_book, parse_book
from tests.engine.world import BOOK, NOW
from tower.engine import workspace
from tower.store.client import Store

SMALL = """
process: {start: [a], done: [b]}
milestones: {a: {object: order, authority: erp}, b: {object: order, authority: erp}}
priorities: [{name: P1, when: {amount: ">= 10"}}]
"""
GOLDEN = Path(__file__).parent / "golden" / "book.sql"


def test_compiled_text_is_the_golden_one() -> None:
    """After a wanted change write the new text: python -m tests.engine.test_compiled, and read the difference."""
    assert compile_book(BOOK).text == GOLDEN.read_text()


def test_compiling_twice_gives_the_same_text() -> None:
    assert compile_book(load_book(SHIPPED)).text == compile_book(load_book(SHIPPED)).text


def test_each_stage_is_named_in_the_text() -> None:
    text = compile_book(BOOK).text
    assert [s.id for s in BOOK.stages if f"/* stage: {s.id} */" not in text] == []


def test_an_authority_without_a_connection_is_skipped_unless_none_has_one() -> None:
    """With connections configured, a list is tried in order; an owner that stands alone keeps the word."""
    edi_only = compile_book(BOOK, frozenset({"commerce", "erp"})).text
    assert "'edi'" not in edi_only.split("-- judged_reports")[1].split("-- judged_reached")[0]
    nobody = compile_book(BOOK, frozenset({"erp"})).text
    assert "'tms'" in nobody


@pytest.mark.parametrize(
    "stages",
    [
        "",
        "stages: [{id: s, from: a, to: b, within: 2h, tiers: [{when: {priority: P1}, within: 60d}]}]",
        "stages: [{id: s, from: a, to: b, within: 2h, tiers: [{when: {priority: P1}, until: promised_at, plus: 70d}]}]",
    ],
    ids=["no stage", "a tier of two months", "a tier that goes by a promise"],
)
def test_the_smallest_books_and_long_tiers_are_judged(store: Store, stages: str) -> None:
    compiled = compile_book(parse_book({"book.yaml": f"{SMALL}{stages}\n"}))
    with store.writer() as client:
        workspace.prepare(client, compiled)
        workspace.judge(client, compiled, NOW, NOW, orders=0)
        assert client.query("SELECT count() FROM judged_findings").result_rows == [(0,)]
        workspace.clear(client, compiled)


if __name__ == "__main__":
    GOLDEN.write_text(compile_book(BOOK).text)
