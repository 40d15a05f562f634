"""docs/connections/files.md says what the tower does with files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collector.collector import Collector
from collector.files import door, folder, reader
from tower.model.connection import Files
from tower.model.connections import load_connections

_PAGE = (Path(__file__).parents[3] / "docs" / "connections" / "files.md").read_text()


def test_the_example_can_be_used_and_its_defaults_are_told(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(connections:.*?)```", _PAGE, re.DOTALL)
    (tmp_path / "connections.yaml").write_text(block)
    (connection,) = load_connections(tmp_path / "connections.yaml").entries
    assert connection.files == Files("/in/legacy", "*.csv", 60)
    assert set(re.findall(r"^\| `(\w+)` \|", _PAGE, re.MULTILINE)) == {"folder", "pattern", "settle", "done", "archive"}
    assert "default 60s" in _PAGE
    assert Files("/in").settle_s == 60


def test_two_connections_cannot_watch_one_folder(tmp_path: Path) -> None:
    path = tmp_path / "connections.yaml"
    path.write_text(
        "connections:\n  - {name: a, kind: erp, files: {folder: /in}}\n  - {name: b, kind: erp, files: {folder: /in}}\n"
    )
    with pytest.raises(ValueError, match="two connections watch the folder /in; each needs its own"):
        load_connections(path)


def test_the_reasons_and_outcomes_of_the_page_are_those_of_the_code() -> None:
    sources = "".join(Path(str(module.__file__)).read_text() for module in (folder, reader))
    for reason in ("duplicate_file", "undecodable", "unmapped_payload"):
        assert f"`{reason}`" in _PAGE
        assert f'"{reason}"' in sources
    example = json.loads(re.findall(r"```json\n(\{\"raw_id\":[^\n]*\"outcome\".*)\n```", _PAGE)[0])
    named = re.findall(
        r'"raw_id", "outcome", "events", "quarantined", "unchanged"', Path(str(door.__file__)).read_text()
    )
    assert named
    assert list(example) == ["raw_id", "outcome", "events", "quarantined", "unchanged", "reasons"]


def test_the_addresses_of_the_page_are_served() -> None:
    source = Path(__import__(Collector.__module__, fromlist=["_"]).__file__ or "").read_text()
    for address in ("/v1/files/{connection}", "/v1/files/{connection}/{raw_id}"):
        assert f'"{address}"' in source
    assert "/v1/files/legacy-erp?name=orders.csv" in _PAGE
