"""The documentation explains every key that the parser knows, and the word lists agree with who uses them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rules.keys import KEYS
from rules.match import GROUP_KEYS, MATCHABLE
from rules.vocabulary import OBJECT_TYPES, TEMPLATE_FIELDS, TIME_ATTRIBUTES

PAGE = (Path(__file__).parents[2] / "docs" / "rulebook.md").read_text()
# The inline code of the page: where words are explained, as opposed to shown in an example.
SPANS = "\n".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
# Fields of an event are explained in docs/events.md; the page names them as a group.
_EVENT_FIELDS = "object ids, order attributes"


@pytest.mark.parametrize("part", KEYS)
def test_every_key_is_on_the_page(part: str) -> None:
    explained = [
        k for k in KEYS[part] if not (part == "given" and (k.endswith("_id") or k in (*MATCHABLE, *TIME_ATTRIBUTES)))
    ]
    missing = [key for key in explained if not re.search(rf"\b{key}\b", SPANS)]
    assert missing == []
    assert _EVENT_FIELDS in PAGE


def test_every_word_of_a_matcher_and_a_request_is_on_the_page() -> None:
    assert [a for a in (*MATCHABLE, *OBJECT_TYPES) if f"`{a}`" not in PAGE] == []
    assert [k for k in GROUP_KEYS if f"`{k}: " not in PAGE] == []
    assert [f for f in TEMPLATE_FIELDS if f"`{{{f}}}`" not in PAGE] == []


def test_a_book_may_name_the_fields_that_a_request_can_fill() -> None:
    template = pytest.importorskip("tower.actions.template")
    assert set(template.TEMPLATE_FIELDS) == set(TEMPLATE_FIELDS)
