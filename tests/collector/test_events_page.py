"""docs/events.md tells of every field, code and limit that the collector has."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from collector import limits
from collector.body import ENCODINGS
from collector.event import Data, Event, LinkStatement
from tests.collector.desk import Desk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "events.md").read_text()
SOURCE = "\n".join(path.read_text() for path in (ROOT / "collector").glob("*.py"))
# Codes of the traces door, which answers with google.rpc.Status and shows none of them, and of reading by load.py.
OTLP_ONLY = {"invalid_otlp", "forbidden"}


@pytest.mark.parametrize("kind", [Event, Data, LinkStatement])
def test_every_field_is_explained(kind: type[msgspec.Struct]) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row.split("|")[1])}
    assert {field.encode_name for field in msgspec.structs.fields(kind)} <= named


def test_every_code_is_explained() -> None:
    codes = set(re.findall(r'Rejection\(\s*"([a-z_0-9]+)"', SOURCE)) | set(
        re.findall(r'Problem\(\s*\d{3},\s*"([a-z_0-9]+)"', SOURCE)
    )
    codes |= set(re.findall(r'reason = "([a-z_]+)"', SOURCE)) | {"store_refused", "conflict"}
    assert len(codes) > 20
    assert {code for code in codes - OTLP_ONLY if f"`{code}`" not in PAGE} == set()


def test_limits_and_encodings_are_those_of_the_program() -> None:
    for number in (limits.MAX_SOURCE, limits.MAX_IDS, limits.MAX_TEXT, limits.MAX_EVENTS):
        assert f"{number:,}" in PAGE
    for number in (limits.MAX_ID, limits.MAX_TYPE, limits.MAX_ATTRIBUTES, limits.MAX_ATTRIBUTE):
        assert f" {number} " in PAGE or f" {number};" in PAGE or f" {number}." in PAGE
    for encoding in ENCODINGS:
        assert f"`{encoding}`" in PAGE


def test_the_first_event_of_the_page_is_accepted(desk: Desk) -> None:
    (body,) = re.findall(r"-d '(\{\"specversion\".*?\}\})'", PAGE, re.S)
    answer = desk.post(body)
    assert answer.json() == {"accepted": 1, "duplicate": 0, "quarantined": 0, "rejected": []}
    assert f"\n{answer.text}\n" in PAGE
