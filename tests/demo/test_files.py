"""The files that ship with the demo fit the scenario and the strict readers."""

from __future__ import annotations

from pathlib import Path

from rules.parse import load_book
from tests.demo.test_scenario import run
from tower.demo.book import write_book, write_connections
from tower.demo.catalog import SOURCES
from tower.model.connections import load_connections


def test_the_connections_are_those_of_the_catalog(tmp_path: Path) -> None:
    entries = load_connections(write_connections(tmp_path / "c.yaml")).entries
    assert {e.name: e.source for e in entries} == SOURCES


def test_the_book_is_strictly_valid_and_knows_every_milestone_of_the_scenario(tmp_path: Path) -> None:
    book = load_book(write_book(tmp_path / "book", "http://127.0.0.1:1234"))
    assert book.targets["middleware"].url == "http://127.0.0.1:1234"
    _, said = run(7, 300)
    named = {m.event["type"].split(".")[1] for m in said} - {"heartbeat"}
    assert named | {"integration_failed"} == set(book.milestones), "that one is for telemetry that names no milestone"


def test_every_stage_can_be_retried_and_every_feed_has_a_connection(tmp_path: Path) -> None:
    book = load_book(write_book(tmp_path / "book", "http://127.0.0.1:1234"))
    assert [s.id for s in book.stages if book.action_for(s.id) is None] == []
    assert {f.connection for f in book.feeds} == set(SOURCES)
