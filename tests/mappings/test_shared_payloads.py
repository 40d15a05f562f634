"""Payloads of other people through decoding, matching and mapping, compared with the tables (tests.mappings.tables)."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.mapping import Mapped, load_mappings
from collector.mapping.check import context_of, difference, invalid
from collector.mapping.examples import RECEIVED_AT
from collector.mapping.model import Example
from tests.mappings.tables import FILES, PAYLOADS, TABLES, headers, messages, table

MAPPINGS = load_mappings()

pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads of other people are not on this machine")


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_payload_gives_the_facts_of_the_table(path: Path) -> None:
    known = table(path.parent.name)
    if not known:
        pytest.skip(f"no table for {path.parent.name} yet")
    entry = known["files"].get(path.name)
    assert entry is not None, f"{path.name} is missing from the table"
    system = MAPPINGS.select(known["set"])
    example = Example(
        name=path.name,
        where="",
        body=b"",
        headers=headers(entry),
        query={},
        connection=known.get("connection") or {},
        received_at=RECEIVED_AT,
        expect=(),
        ignored=False,
        quarantine="",
    )
    context = context_of(example, known["set"])
    outcomes = [o for body in messages(path, entry) for o in system.outcomes(body, context)]
    if "quarantine" in entry:
        assert [o.reason for o in outcomes] == [entry["quarantine"]] * len(outcomes)
        return
    assert [f"{o.reason}: {o.detail}" for o in outcomes if o.reason] == []
    if entry.get("ignored"):
        assert [o for o in outcomes if not o.ignored] == []
        return
    events: list[Mapped] = [mapped for o in outcomes for mapped in o.events]
    assert [told for mapped in events if (told := invalid(mapped))] == []
    assert difference(entry["expect"], events) == ""


def test_every_line_of_a_table_names_a_payload() -> None:
    named = {f"{path.stem}/{file}" for path in TABLES.glob("*.yaml") for file in table(path.stem)["files"]}
    assert named <= {f"{path.parent.name}/{path.name}" for path in FILES}
