"""The `spans:` block of a connection: whose telemetry speaks for it, and what its attributes and spans mean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rules.errors import closest
from rules.vocabulary import ID_FIELDS
from tower.model.connection import SpanMilestone, Spans
from tower.model.entry import Entry, shown

_WRITE = "spans: {services: [order-bridge], ids: {app.order.id: order_id}}"
_MILESTONE = re.compile(r"[a-z][a-z0-9_]*")


def read_spans(entry: Entry) -> Spans:
    """Return the block, the empty one where there is none. Raises ConnectionsError."""
    if not entry.has("spans"):
        return Spans()
    spans = entry.below("spans", ("services", "ids", "milestones"), _WRITE)
    return Spans(
        spans.texts("services", write="services: [order-bridge, 'erp-*']"),
        _ids(spans),
        tuple(_milestone(item) for item in _listed(spans)),
    )


def _listed(spans: Entry) -> list[Entry]:
    write = "milestones: [{name: 'POST /orders', milestone: order_accepted}]"
    value = spans.value.get("milestones")
    if value is None:
        return []
    if not isinstance(value, list):
        spans.fail("milestones", f"{shown(value)} is no list; write {write}")
    known = ("milestone", "service", "name", "attributes", "ids")
    title = f"{spans.title}: milestones"
    return [
        Entry(spans.file, spans.document, (*spans.steps, "milestones", i), item, title, known, write)
        for i, item in enumerate(value)
    ]


def _milestone(item: Entry) -> SpanMilestone:
    milestone = item.text("milestone", required=True, write="milestone: order_accepted")
    if not _MILESTONE.fullmatch(milestone):
        item.fail("milestone", f"{milestone!r} is no name of a milestone; use a-z, digits and _")
    attributes = item.named("attributes", "attributes: {http.route: '/orders*'}")
    for name, pattern in attributes.items():
        if not isinstance(pattern, str):
            item.fail("attributes", f"{name}: {shown(pattern)} is no text; write it in quotes")
    return SpanMilestone(milestone, item.text("service", "*"), item.text("name", "*"), dict(attributes), _ids(item))


def _ids(entry: Entry) -> Mapping[str, str]:
    ids = entry.named("ids", "ids: {app.order.id: order_id}")
    for attribute, field in ids.items():
        if field not in ID_FIELDS:
            entry.fail("ids", f"{attribute}: {shown(field)} is no id field; {closest(str(field), ID_FIELDS)}")
    return dict(ids)
