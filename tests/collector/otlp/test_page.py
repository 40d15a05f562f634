"""docs/traces.md is current: names, limits, the example of a connection, the tables."""

from __future__ import annotations

import re
from pathlib import Path

from collector.limits import OTLP_BODY
from collector.otlp import baggage, check, facts
from collector.otlp.decode import MAX_OBJECTS
from collector.otlp.speakers import SOURCE
from rules.parse import SHIPPED, load_book
from tower.api.order_traces import MAX_LOGS, MAX_SPANS, MAX_TRACES
from tower.model.connections import load_connections
from tower.store.migrate import available

PAGE = (Path(__file__).parents[3] / "docs" / "traces.md").read_text()


def test_every_attribute_and_limit_is_told() -> None:
    for name in ("o2c.milestone", "o2c.reports", SOURCE, *baggage.ATTRIBUTES):
        assert f"`{name}`" in PAGE, name
    for text in (
        f"up to {OTLP_BODY >> 20} MiB", f"up to {baggage.MAX_BYTES} bytes", f"more than {check._MAX_GROWTH} times",
        "the first ten reasons", f"up to {MAX_OBJECTS:,} objects", f"up to {facts.MAX_HOPS} make an event", f"the latest {MAX_TRACES}",
        f"up to {MAX_SPANS:,} spans", f"the latest {MAX_LOGS}",
    ):  # fmt: skip
        assert text in PAGE, text
    assert check.MAX_REASONS == 10


def test_the_connection_of_the_page_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    file = tmp_path / "connections.yaml"
    file.write_text(example)
    (bridge,) = load_connections(file).entries
    assert bridge.spans.services == ("order-bridge", "erp-*")
    assert bridge.spans.milestones[0].milestone in load_book(SHIPPED).milestones


def test_the_milestone_of_failed_work_is_in_the_shipped_book_and_anybodys() -> None:
    milestone = load_book(SHIPPED).milestones[facts.MILESTONE]
    assert (milestone.object, milestone.authority) == ("document", ())


def test_every_table_of_telemetry_is_told() -> None:
    text = "".join(sql for _, name, sql in available() if "telemetry" in name or "traces" in name)
    tables = set(re.findall(r"^CREATE TABLE (\w+)", text, re.M))
    assert {t for t in tables if not t.startswith("otlp_")} <= set(re.findall(r"`(\w+)`", PAGE))
