"""The event as senders write it: one definition that decodes, validates and is published as JSON Schema."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from collector.limits import MAX_ID, MAX_IDS, MAX_LINKS, MAX_SOURCE, MAX_TEXT, MAX_TYPE
from rules.vocabulary import NUMBER_ATTRIBUTES

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Ids = Id | Annotated[list[Id], Meta(max_length=MAX_IDS)] | None
Word = Annotated[str, Meta(max_length=MAX_ID)] | None
Text = Annotated[str, Meta(max_length=MAX_TEXT)] | None
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a zone, kept to the millisecond in UTC")]
Exact = Annotated[
    Decimal,
    Meta(description="A JSON number or a decimal string; up to 24 digits before the point and 6 after it"),
]
# No constraints inside: msgspec 0.22 crashes at interpreter exit on a union of a constrained text and a dict of
# constrained texts. collector.objects checks both ends.
End = Annotated[
    str | dict[str, str],
    Meta(description='"shipment:S1", {"type": "shipment", "id": "S1"} or {"shipment_id": "S1"}'),
]


class LinkStatement(Struct, gc=False):
    """One object hangs from another; `retract` takes an earlier statement back."""

    from_: End = msgspec.field(name="from")
    to: End
    relation: Word = None
    retract: bool | None = None


class Data(Struct, gc=False, omit_defaults=True):
    """The flat payload of an event. Other fields are kept in the raw only, unless the connection allow-lists them."""

    order_id: Ids = None
    order_line_id: Ids = None
    fulfillment_id: Ids = None
    shipment_id: Ids = None
    invoice_id: Ids = None
    payment_id: Ids = None
    return_id: Ids = None
    credit_memo_id: Ids = None
    inventory_position_id: Ids = None
    load_id: Ids = None
    case_id: Ids = None
    document_id: Ids = None
    links: Annotated[list[LinkStatement], Meta(max_length=MAX_LINKS)] | None = None
    amount: Exact | None = None
    quantity: Exact | None = None
    currency: Annotated[str, Meta(min_length=3, max_length=3, description="Three letters, ISO 4217")] | None = None
    customer_id: Word = None
    customer_tier: Word = None
    channel: Word = None
    order_type: Word = None
    company: Word = None
    warehouse: Word = None
    partner: Word = None
    promised_at: Instant | None = None
    requested_at: Instant | None = None
    reason: Text = None
    error: Text = None


class Event(Struct, gc=False):
    """A CloudEvents 1.0 event that says: a milestone was reached, failed or was reversed on the objects it names."""

    id: Annotated[str, Meta(min_length=1, max_length=MAX_ID, description="Unique within its source")]
    source: Annotated[
        str,
        Meta(
            min_length=1, max_length=MAX_SOURCE, description="Its first path segment names the system kind: /wms/berlin"
        ),
    ]
    specversion: Literal["1.0"]
    type: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TYPE,
            description="o2c.<milestone>, o2c.<milestone>.failed, o2c.<milestone>.reversed or o2c.heartbeat",
        ),
    ]
    time: Annotated[Instant, Meta(description="When it happened: RFC 3339 with a zone, kept to the millisecond in UTC")]
    data: Data | None = None
    datacontenttype: str | None = None
    data_base64: bytes | None = None
    traceparent: str | None = None
    sequence: Annotated[
        Any,
        Meta(
            description="Place in the numbering of its source, counted without gaps: digits. Anything else is ignored"
        ),
    ] = None


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema 2020-12 document of an event, served at /v1/schemas."""
    (schema,), components = msgspec.json.schema_components([Event], ref_template="#/$defs/{name}")
    components["Event"]["properties"]["type"]["pattern"] = r"^o2c\."
    for name in NUMBER_ATTRIBUTES:
        # msgspec describes a Decimal by how it writes one; numbers are read as well.
        components["Data"]["properties"][name]["anyOf"][0]["type"] = ["string", "number"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:o2c:schema:event",
        "title": "O2C event",
        **schema,
        "$defs": components,
    }
