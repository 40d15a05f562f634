"""Write the tables of the connection pages from the mappings and their tests. `--check` only compares.

docs/connections/<set>.md holds a block between two comments with a row for each mapping of the set;
docs/connections/samples.md says what became of each payload of other people that the tests send through the mappings.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.mapping import MappingFile, System, load_mappings
from collector.mapping.mapping_set import SHIPPED
from rules.document import read_files

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "connections"
TABLES = ROOT / "tests" / "mappings" / "payloads"
BEGIN, END = "<!-- mappings: written by scripts/mapping_pages.py -->", "<!-- end of mappings -->"
SAMPLES = """# Samples

What the shipped mappings make of messages that other people published: client-library fixtures, documentation examples,
recorded answers and parser samples of the vendors and of open-source projects. The tests send each file through its
mapping and compare time, ids and amounts as well. Messages of the same kinds that are not here are read the same way.

| file | mapping set | becomes |
|---|---|---|
"""


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file as values."""
    return read_files({path.name: path.read_text()}).value


def milestones(mapping: MappingFile) -> list[str]:
    """Return the milestones a mapping may give, with their polarity, in the order of the file."""
    document = read(SHIPPED / mapping.file)
    found: dict[str, None] = {}
    for emit in document.get("emit", ()):
        milestone, suffix = emit["milestone"], _suffix(emit)
        if isinstance(milestone, str):
            found[milestone + suffix] = None
        else:
            words = list(_words(milestone.get("transform"), document.get("tables", {})))
            found.update(dict.fromkeys([f"{word}{suffix}" for word in words] or ["as the message says"]))
    return list(found)


def _suffix(event: dict[str, Any]) -> str:
    polarity = event.get("polarity", "reached")
    return "" if polarity == "reached" else f".{polarity}"


def _words(transforms: Any, tables: dict[str, Any]) -> Iterator[str]:
    for transform in transforms if isinstance(transforms, list) else [transforms]:
        lookup = transform.get("lookup") if isinstance(transform, dict) else None
        table = lookup.get("table") if isinstance(lookup, dict) else lookup
        words = table if isinstance(table, dict) else tables.get(table, {})
        yield from map(str, words.values())


def block(system: System) -> str:
    """Return the table of a set."""
    rows = []
    for mapping in system.mappings:
        gives = ", ".join(f"`{m}`" if " " not in m else m for m in milestones(mapping))
        gives = gives or (mapping.ignore and f"nothing: {mapping.ignore}")
        if mapping.refuse is not None:
            gives = f"quarantine `{mapping.refuse.reason}`: {mapping.refuse.detail}"
        status = "**experimental**" if mapping.experimental else mapping.status
        rows.append(f"| `{mapping.name}` | {mapping.decode['format']} | {status} | {gives} | {mapping.source} |")
    head = "| mapping | format | status | gives | where its format comes from |\n|---|---|---|---|---|"
    return "\n".join([BEGIN, head, *rows, END])


def samples() -> str:
    """Return the page of samples."""
    rows = []
    for path in sorted(TABLES.glob("*.yaml")):
        table = read(path)
        for file, entry in table["files"].items():
            rows.append(f"| `{path.stem}/{file}` | `{table['set']}` | {_becomes(entry)} |")
    return SAMPLES + "\n".join(rows) + "\n"


def _becomes(entry: dict[str, Any]) -> str:
    if "quarantine" in entry:
        return f"quarantine `{entry['quarantine']}`"
    if entry.get("ignored"):
        return "no event, by intention"
    counts: dict[str, int] = {}
    for event in entry["expect"]:
        word = f"`{event['milestone']}{_suffix(event)}`"
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(word + (f" × {count}" if count > 1 else "") for word, count in counts.items()) or "no event"


def pages() -> dict[Path, str]:
    """Return every page with its tables as they should be."""
    found = {PAGES / "samples.md": samples()}
    for system in load_mappings().systems.values():
        page = PAGES / f"{system.name}.md"
        text = page.read_text() if page.exists() else f"# {system.name}\n\n{BEGIN}\n{END}\n"
        head, _, rest = text.partition(BEGIN)
        found[page] = head + block(system) + rest.partition(END)[2]
    return found


def main() -> int:
    """Write the pages, or with --check return 1 if one is not current."""
    stale = {page: text for page, text in pages().items() if not page.exists() or page.read_text() != text}
    if "--check" in sys.argv[1:]:
        for page in stale:
            sys.stderr.write(f"{page.relative_to(ROOT)} is not current; run `make format`\n")
        return 1 if stale else 0
    for page, text in stale.items():
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
