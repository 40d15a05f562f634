"""The `spans:` block of a connection is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tower.model.connection import SpanMilestone, Spans
from tower.model.connections import ConnectionsError, load_connections

WHOLE = """
connections:
  - name: bridge
    kind: middleware
    spans:
      services: [order-api, "erp-*"]
      ids: {app.order.id: order_id, app.shipment: shipment_id}
      milestones:
        - {milestone: invoice_released, service: "order-*", name: "POST /invoices", attributes: {http.route: "/i*"}, ids: {app.invoice: invoice_id}}
        - {milestone: order_accepted}
  - {name: other, kind: erp, spans: {services: one}}
  - {name: silent, kind: erp}
"""


def read(tmp_path: Path, text: str) -> list[Spans]:
    file = tmp_path / "connections.yaml"
    file.write_text(text)
    return [c.spans for c in load_connections(file).entries]


def test_every_key_is_read(tmp_path: Path) -> None:
    bridge, other, silent = read(tmp_path, WHOLE)
    assert bridge == Spans(
        ("order-api", "erp-*"),
        {"app.order.id": "order_id", "app.shipment": "shipment_id"},
        (
            SpanMilestone(
                "invoice_released", "order-*", "POST /invoices", {"http.route": "/i*"}, {"app.invoice": "invoice_id"}
            ),
            SpanMilestone("order_accepted"),
        ),
    )
    assert bridge.ids["app.shipment"] == "shipment_id"
    assert bridge.milestones[0].ids == {"app.invoice": "invoice_id"}
    assert (other, silent) == (Spans(("one",)), Spans())


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("[a]", "is no mapping; write spans: {services:"),
        ("{service: [a]}", "unknown key 'service'; did you mean 'services'"),
        ("{ids: {app.order: order}}", "ids: app.order: 'order' is no id field; did you mean 'order_id'"),
        ("{milestones: {a: b}}", "is no list; write milestones:"),
        ("{milestones: [{name: x}]}", "milestone: it is missing"),
        ("{milestones: [{milestone: Order Accepted}]}", "is no name of a milestone"),
        ("{milestones: [{milestone: a, attributes: {code: 200}}]}", "code: 200 is no text; write it in quotes"),
        ("{milestones: [{milestone: a, attribute: {}}]}", "unknown key 'attribute'"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, block: str, message: str) -> None:
    with pytest.raises(ConnectionsError) as caught:
        read(
            tmp_path,
            f"connections:\n  - {{name: bridge, kind: middleware}}\n  - name: b\n    kind: m\n    spans: {block}\n",
        )
    assert message in str(caught.value)
    assert "connections.yaml:5: connection b: spans" in str(caught.value)
