"""What the pages Quarantine and Orphans say, without a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from dashboards.tower_ui import orphan_model, quarantine_model
from rules.vocabulary import PARENTS
from tests.dashboards.fake_held import Held

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HELD = Held(lambda: NOW)


def test_every_reason_that_the_tower_gives_is_told_in_words() -> None:
    """The codes are those of the collector and of the conflicts that the engine sets aside."""
    folder = Path(__file__).parents[2]
    text = "\n".join(p.read_text() for p in (folder / "collector").rglob("*.py"))
    codes = set(re.findall(r'reason = "([a-z_]+)"', text)) | set(re.findall(r'"quarantine": "([a-z_]+)"', text))
    codes |= {"conflict", "undecodable", "unmapped_payload", "mapping_failed", "batch_control_total", "unresolved"}
    assert {c for c in codes if c not in quarantine_model.REASONS} == set()
    assert quarantine_model.reason("brand_new").title == "Brand new"


def test_groups_are_read_with_what_they_need() -> None:
    groups = quarantine_model.read_groups(HELD.groups())
    assert [(g.code, g.connection, g.count) for g in groups][:2] == [
        ("mapping_failed", "shop-eu", 17),
        ("unknown_milestone", "wms-hamburg", 4),
    ]
    assert quarantine_model.total(groups) == 25
    assert groups[0].mappings == ("shopify.order@1:e0882d9b",)
    assert quarantine_model.read_groups({"groups": [7, {}]})[0].count == 0
    assert quarantine_model.read_held({}) == []


@pytest.mark.parametrize(
    ("items", "said", "tone"),
    [
        (["taken", "taken"], "2 taken", "good"),
        (["taken", "held", "held"], "2 still of no use, 1 taken", "mixed"),
        (["held"], "1 still of no use", "bad"),
        (["discarded", "gone"], "1 let go, 1 settled before", "mixed"),
        ([], "Nothing was done", "good"),
    ],
)
def test_what_acts_came_to_is_counted_in_words(items: list[str], said: str, tone: str) -> None:
    assert quarantine_model.came_to([{"id": "1", "result": r} for r in items]) == (said, tone)


def test_a_body_is_laid_out_and_its_numbers_stay_as_they_were_written() -> None:
    text, language = quarantine_model.pretty('{"a":1.10,"b":820982911946154508123}')
    assert (text, language) == ('{\n  "a": 1.10,\n  "b": 820982911946154508123\n}', "json")
    assert quarantine_model.pretty('{"cut": "of') == ('{"cut": "of', "json")
    assert quarantine_model.pretty("[" * 100_000)[1] == "json"
    assert quarantine_model.pretty("<a/>") == ("<a/>", "xml")
    assert quarantine_model.pretty("ISA*1~GS*2~")[0] == "ISA*1~\nGS*2~\n"
    assert quarantine_model.pretty("UNB+1'UNH+2'")[0] == "UNB+1'\nUNH+2'\n"
    assert quarantine_model.pretty("") == ("", "text")


def test_an_orphan_says_why_it_is_one() -> None:
    found = orphan_model.read_orphans(HELD.find_orphans({"sort": "-value"}))
    assert [(o.number, o.why()) for o in found.rows] == [
        ("PAY-88121", "Nothing says what it belongs to"),
        ("PO 4711", "May be any of 2 orders"),
        ("INV-99120", "Its order SO-NEVER has not started"),
        ("1Z999AA10123456784", "Nothing says what it belongs to"),
    ]
    assert (found.total, found.value) == (4, Decimal("27690.40"))
    assert found.rows[1].ref == "order:customer_po:C-42/PO 4711"
    assert orphan_model.read_orphans({"orphans": [{}, 3]}).rows[0].why() == "Nothing says what it belongs to"


def test_what_an_object_may_be_tied_to_is_what_the_tower_takes() -> None:
    assert orphan_model.ABOVE == PARENTS
    assert orphan_model.above("shipment") == ("order", "fulfillment", "order_line", "shipment")
    assert orphan_model.above("order") == ("order",)
    assert orphan_model.above("new_thing") == ("order", "new_thing")
