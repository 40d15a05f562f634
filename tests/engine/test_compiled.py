"""The SQL a rulebook becomes is stable text: a change of it shows in review."""

from __future__ import annotations

from pathlib import Path

from rules.compile import compile_book
from rules.parse import SHIPPED, load_book
from tests.engine.world import BOOK

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


if __name__ == "__main__":
    GOLDEN.write_text(compile_book(BOOK).text)
