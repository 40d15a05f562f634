"""The authors' page explains every key, transform, form, key of an object and plugin, and its example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.mapping import System
from collector.mapping.check import problem
from collector.mapping.keys import KEYS
from collector.mapping.names import KEYS as NAMES
from collector.mapping.plugins import PLUGINS
from collector.mapping.read import REASONS, read_mapping
from collector.mapping.times import BASES, FORMS, PRECISIONS
from collector.mapping.transforms import TRANSFORMS, UNKNOWN

PAGE = (Path(__file__).parents[2] / "docs" / "connections" / "mappings.md").read_text()
# The inline code of the page: where words are explained, as opposed to shown in an example.
SPANS = "\n".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))


@pytest.mark.parametrize("part", KEYS)
def test_every_key_is_on_the_page(part: str) -> None:
    assert [key for key in KEYS[part] if not re.search(rf"\b{key}\b", SPANS)] == []


def test_every_word_of_the_lists_is_on_the_page() -> None:
    words = [*TRANSFORMS, *FORMS, *NAMES, *PLUGINS, *REASONS, *PRECISIONS, *BASES, *UNKNOWN]
    assert [word for word in words if not re.search(rf"\b{word}\b", SPANS)] == []


def test_what_the_page_says_of_a_key_is_so() -> None:
    for keys, types, scope, strength in re.findall(
        r"^\| (`[^|]+`) \| ([^|]+) \| ([^|]+) \| (strong|weak) \|$", PAGE, re.M
    ):
        for key in re.findall(r"`(\w+)`", keys):
            known = NAMES[key]
            assert known.weak is (strength == "weak"), key
            assert types.strip() == "any" or set(known.types) <= set(types.strip().split(", ")), key
            assert scope.startswith("shared") is known.shared, key
            assert known.shared or scope.strip("` ").startswith(known.scope or "everywhere"), key


def test_the_example_of_the_page_holds() -> None:
    (text,) = re.findall(r"## A whole file\n\n```yaml\n(.*?)```", PAGE, re.S)
    mapping, problems = read_mapping("acme/shipment.yaml", text)
    assert problems == []
    assert mapping is not None
    (example,) = mapping.examples
    assert problem(System("acme", [mapping]), mapping, example) == ""
