"""Payloads of other people through decoding, matching and mapping, compared with a table of facts of our own.

The tables are tests/mappings/payloads/<folder>.yaml, one for each folder of payloads:
    set: the mapping set
    connection: {name, kind, zone, currency, codes ...}        as in the tests inside mapping files
    files:
      order.json: {headers: {...}, take: JMESPath of the message inside the file, expect: [events]}
      other.json: {ignored: true}   or   {quarantine: the reason}
A file that is a list of recorded messages is taken apart by `take`; what each gives is put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jmespath
import msgspec
import pytest

from collector.mapping import Mapped, load_mappings
from collector.mapping.check import context_of, difference, invalid
from collector.mapping.examples import RECEIVED_AT
from collector.mapping.model import Example
from rules.document import read_files

PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "payloads"
TABLES = Path(__file__).parent / "payloads"
FILES = sorted(path for path in PAYLOADS.glob("*/*") if path.is_file())
MAPPINGS = load_mappings()

pytestmark = pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads of other people are not on this machine")


def _table(folder: str) -> dict[str, Any]:
    path = TABLES / f"{folder}.yaml"
    if not path.exists():
        return {}
    document = read_files({path.name: path.read_text()})
    assert document.problems == []
    return document.value


def _messages(path: Path, entry: dict[str, Any]) -> Iterator[bytes]:
    body = path.read_bytes()
    if "take" not in entry:
        yield body
        return
    decoded = msgspec.json.Decoder(float_hook=str).decode(body)
    for message in jmespath.search(entry["take"], decoded):
        yield message.encode() if isinstance(message, str) else msgspec.json.encode(message)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_payload_gives_the_facts_of_the_table(path: Path) -> None:
    table = _table(path.parent.name)
    if not table:
        pytest.skip(f"no table for {path.parent.name} yet")
    entry = table["files"].get(path.name)
    assert entry is not None, f"{path.name} is missing from the table"
    system = MAPPINGS.select(table["set"])
    example = Example(
        name=path.name,
        where="",
        body=b"",
        headers={k.lower(): str(v) for k, v in (entry.get("headers") or {}).items()},
        query={},
        connection=table.get("connection") or {},
        received_at=RECEIVED_AT,
        expect=(),
        ignored=False,
        quarantine="",
    )
    context = context_of(example, table["set"])
    outcomes = [o for body in _messages(path, entry) for o in system.outcomes(body, context)]
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
    named = {f"{path.stem}/{file}" for path in TABLES.glob("*.yaml") for file in _table(path.stem)["files"]}
    assert named <= {f"{path.parent.name}/{path.name}" for path in FILES}
