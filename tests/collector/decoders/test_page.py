"""docs/connections/decoders.md says what the decoders do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml

from collector.decoders import check_spec, edifact, x12
from tests.collector.decoders.ask import document, units
from tests.collector.decoders.test_edifact import ORDER
from tests.collector.decoders.test_edifact import interchange as edifact_interchange
from tests.collector.decoders.test_x12 import SHIP
from tests.collector.decoders.test_x12 import interchange as x12_interchange

_PAGE = (Path(__file__).parents[3] / "docs" / "connections" / "decoders.md").read_text()
_BLOCKS = re.findall(r"```(\w*)\n(.*?)```", _PAGE, re.DOTALL)


def blocks(kind: str, part: str) -> list[str]:
    return [text for found, text in _BLOCKS if found == kind and part in text]


@pytest.mark.parametrize("text", blocks("yaml", "decode:"))
def test_every_block_can_be_used(text: str) -> None:
    check_spec(yaml.safe_load(text)["decode"])


def test_the_xml_example_is_exact() -> None:
    (body,), (expected,) = blocks("xml", "SyncSalesOrder"), blocks("json", "SyncSalesOrder")
    assert document(body, format="xml", lists=["Line", "Charge"]) == json.loads(expected)


def test_the_csv_examples_are_exact() -> None:
    plain, typed = (yaml.safe_load(text)["decode"] for text in blocks("yaml", "format: csv"))
    (expected,) = blocks("json", "Quantity")
    assert document("Order;Line;Shipped;Quantity\nSO-1;1;01.03.2026;12,5\n", **plain) == json.loads(expected)
    (body,) = blocks("", "H;20260301;7")
    assert [unit.document["key"] for unit in units(body, **typed)] == ["SO-1/1", "SO-1/2"]


def _holds(actual: Any, expected: Any) -> bool:
    """Whether a document agrees with one of the page, in which texts stand for what is left out."""
    if isinstance(expected, str) and ("…" in expected or expected.startswith("the seg of")):
        return True
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            "…" in k or (k in actual and _holds(actual[k], v)) for k, v in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and all(_holds(a, e) for a, e in zip(actual, expected, strict=False))
    return bool(actual == expected)


def test_the_edi_examples_hold() -> None:
    segments = [s for text in blocks("", "BSN*00") for s in text.replace("\n", "").split("~") if s]
    found = document(x12_interchange(*segments), format="x12")
    assert _holds(found, json.loads(blocks("json", '"hl"')[0]))
    assert found == document(x12_interchange(*SHIP), format="x12")

    segments = [s for text in blocks("", "ENT*1~") for s in text.replace("\n", "").split("~") if s]
    found = document(x12_interchange("ST*820*1", *segments, f"SE*{len(segments) + 2}*1"), format="x12")
    assert _holds(found, json.loads(blocks("json", '"rmr"')[0]))

    segments = [s for text in blocks("", "UNH+1+ORDERS") for s in text.replace("\n", "").split("'") if s]
    (unit,) = units(edifact_interchange(*segments), format="edifact")
    assert unit.notes == ()
    assert _holds(unit.document, json.loads(blocks("json", '"unb"')[0]))


def test_the_expressions_find_what_they_say() -> None:
    ship = document(x12_interchange(*SHIP), format="x12")
    orders = jmespath.search("hl[?level=='O']", ship)
    (lines,) = blocks("yaml", "foreach: hl")
    found = [jmespath.search(text, orders[0]) for text in re.findall(r"(?:seg|up|under)\.\S.*", lines)]
    assert found == ["PO-1", "BOL-1", ["00000715670002152360"]]
    order = document(edifact_interchange(*ORDER), format="edifact")
    assert jmespath.search('BGM[0]."02"[0]', order) == "PO-1"
    (text,) = re.findall(r"`(lin\[\]\.RFF\[\] \|[^`]*)`", _PAGE)
    assert jmespath.search(text, order) == ["LINE-1"]


@pytest.mark.parametrize(("heading", "loops"), [("X12 set", x12._LOOPS), ("message", edifact._LOOPS)])
def test_the_tables_of_loops_are_complete(heading: str, loops: dict[str, dict[str, int]]) -> None:
    table = _PAGE.split(f"| {heading} | loops, outer first |")[1].split("\n\n")[0]
    told = {}
    for row in re.findall(r"^\| ([A-Z0-9, ]+) \| (.*) \|$", table, re.MULTILINE):
        for name in row[0].split(", "):
            depths: dict[str, int] = {}
            for path in re.sub(r"\(.*\)", "", row[1]).split(", and "):
                depth = 0
                for word in re.findall(r"`(\w+)`|(›)|(, )", path):
                    if word[1]:
                        depth += 1
                    elif word[0]:
                        depths.setdefault(word[0].upper(), depth + 1)
                    if word[2] and "›" in path.split(word[0] or ", ")[-1]:
                        depth = 0
            told[name] = depths
    assert told == loops
