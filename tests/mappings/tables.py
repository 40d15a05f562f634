"""The tables of what payloads of other people become, and the messages inside each payload.

One table, tests/mappings/payloads/<folder>.yaml, for each folder of payloads:
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

from rules.document import read_files

PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "payloads"
TABLES = Path(__file__).parent / "payloads"
FILES = sorted(path for path in PAYLOADS.glob("*/*") if path.is_file())


def table(folder: str) -> dict[str, Any]:
    """Return the table of a folder, empty if there is none."""
    path = TABLES / f"{folder}.yaml"
    if not path.exists():
        return {}
    document = read_files({path.name: path.read_text()})
    assert document.problems == []
    return document.value


def messages(path: Path, entry: dict[str, Any]) -> Iterator[bytes]:
    """Yield the messages of a payload."""
    body = path.read_bytes()
    if "take" not in entry:
        yield body
        return
    decoded = msgspec.json.Decoder(float_hook=str).decode(body)
    for message in jmespath.search(entry["take"], decoded):
        yield message.encode() if isinstance(message, str) else msgspec.json.encode(message)


def headers(entry: dict[str, Any]) -> dict[str, str]:
    """Return the headers a payload is sent with."""
    return {name.lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
