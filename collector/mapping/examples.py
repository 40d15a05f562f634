"""The tests inside mapping files: read with the file, run by `tower mappings check` and the project's own tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from collector.mapping.model import Example
from rules.section import Section

RECEIVED_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
_INPUTS = ("input", "text", "file")


def read_examples(top: Section, folder: Path | None) -> tuple[Example, ...]:
    """Return the tests of a file; mistakes are reported to its document."""
    return tuple(_example(section, folder) for section in top.sections("tests", "test"))


def _example(section: Section, folder: Path | None) -> Example:
    connection = section.section("connection", "connection")
    expect = section.raw("expect")
    endings = [key for key in ("expect", "ignored", "quarantine") if section.has(key)]
    if len(endings) != 1:
        section.report(None, "it must say one of expect, ignored and quarantine", "write expect: [{milestone: ...}]")
    if expect is not None and not (isinstance(expect, list) and all(isinstance(e, dict) for e in expect)):
        section.report("expect", "it is no list of events", "write expect: [{milestone: ..., time: ...}]")
        expect = None
    return Example(
        name=section.text("name", required=True),
        where=section.where,
        body=_body(section, folder),
        headers={name.lower(): str(value) for name, _, value in section.named("headers")},
        query={name: str(value) for name, _, value in section.named("query")},
        connection=connection.value if connection else {},
        received_at=_received_at(section),
        expect=tuple(expect or ()),
        ignored=section.flag("ignored"),
        quarantine=section.text("quarantine"),
    )


def _received_at(section: Section) -> datetime:
    text = section.text("received_at")
    if not text:
        return RECEIVED_AT
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = RECEIVED_AT.replace(tzinfo=None)
    if at.tzinfo is None:
        section.report("received_at", f"{text!r} is no time with a zone", "write for example 2026-06-01T12:00:00Z")
        return RECEIVED_AT
    return at


def _body(section: Section, folder: Path | None) -> bytes:
    given = [key for key in _INPUTS if section.has(key)]
    if len(given) != 1:
        section.report(
            None, "it must have one of input, text and file", "input: is a document, text: is the body itself"
        )
        return b""
    if given == ["text"]:
        return section.text("text").encode()
    if given == ["input"]:
        return msgspec.json.encode(_plain(section.raw("input")))
    name = section.text("file")
    if folder is None or "/" in name or not (folder / name).is_file():
        section.report("file", f"{name!r} does not lie beside the mapping", "name a file in the same folder")
        return b""
    return (folder / name).read_bytes()


def _plain(value: Any) -> Any:
    """Return a value of YAML as JSON writes it: fractions with every digit."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return msgspec.Raw(str(value).encode()) if isinstance(value, Decimal) else value
