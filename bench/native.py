"""Native messages: a JSON webhook and an X12 856, each a request of its own, against events sent one by one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import events
from bench.figure import Figure, median_of, spread
from bench.process import Tower, tower
from bench.sender import EVENTS, Kind, burst

NAME = "native"
_LANES = 8
_WEBHOOK = Kind("/v1/ingest/shop", "application/json", b"}", "raw", 202)
_ASN = Kind("/v1/ingest/edi", "application/edi-x12", b"}", "raw", 202)
_ONE = Kind("/v1/events", "application/cloudevents+json", EVENTS.all_taken, "events")
_CONNECTIONS = """
connections:
  - {name: shop, kind: commerce, mapping: shopify}
  - {name: edi, kind: edi, mapping: bench}
"""
# What any mapping of a 856 must do: qualifiers, a tree of levels, several orders in one notice.
_MAPPING = """
mapping: bench.856
version: 1
status: confirmed
source: "X12 856"
decode: {format: x12, unit: transaction}
match: body.ST[0]."01" == '856'
event_key: ['body.isa."13"', 'body.gs."06"', 'body.ST[0]."02"']
emit:
  - milestone: shipment_confirmed
    occurred_at: {expr: 'body.BSN[0].["03", "04"]', parse: yyyymmdd}
    objects:
      - type: shipment
        key: shipment_no
        expr: body.BSN[0]."02"
        names:
          - key: bol_no
            expr: body.hl[?level=='S'].seg.REF[] | [?"01"=='BM'] | [0]."02"
      - type: order
        key: customer_po
        expr: body.hl[?level=='O'].seg.PRF[0]."01"
        scope: body.isa."08"
        transform: unique
"""


def measure(folder: Path, *, quick: bool) -> list[Figure]:
    """Run interleaved rounds of all three through one tower's doors, until what they say is stored."""
    count, rounds = (1_500, 3) if quick else (6_000, 5)
    kinds: dict[Kind, Callable[[int, int], list[bytes]]] = {_ONE: _events, _WEBHOOK: _webhooks, _ASN: _notices}
    took: dict[Kind, list[float]] = {kind: [] for kind in kinds}
    spent: dict[Kind, list[float]] = {kind: [] for kind in kinds}
    with tower(folder / "tower", "collect", _settings(folder)) as running:
        for number in range(rounds + 1):  # the first one warms up
            bodies = {kind: make(number, count) for kind, make in kinds.items()}
            for kind in list(kinds) if number % 2 else reversed(list(kinds)):
                seconds, cpu_s = _send(running, bodies[kind], kind)
                if number:
                    took[kind].append(seconds)
                    spent[kind].append(cpu_s)

    def line(kind: Kind, name: str) -> Figure:
        ratios = [one / mine for one, mine in zip(took[_ONE], took[kind], strict=True)]
        return Figure(
            NAME, name, f"{count / median_of(took[kind]):,.0f}/s, {median_of(spent[kind]) / count * 1e6:.0f} us each",
            median_of(ratios), note=f"ratio to one event a request; {spread(ratios)}",
        )  # fmt: skip

    alone = f"{count / median_of(took[_ONE]):,.0f}/s, {median_of(spent[_ONE]) / count * 1e6:.0f} us each"
    return [
        Figure(NAME, "one event a request, drained", alone, note=f"{rounds} rounds of {count:,}"),
        line(_WEBHOOK, "JSON webhook, mapped and drained"),
        line(_ASN, "X12 856, mapped and drained"),
    ]


def _settings(folder: Path) -> dict[str, str]:
    own = folder / "mappings" / "bench"
    own.mkdir(parents=True)
    (own / "asn.yaml").write_text(_MAPPING)
    connections = folder / "connections.yaml"
    connections.write_text(_CONNECTIONS)
    return {"TOWER_CONNECTIONS": str(connections), "TOWER_MAPPINGS": str(own.parent)}


def _send(running: Tower, bodies: list[bytes], kind: Kind) -> tuple[float, float]:
    """Return the seconds until all is stored, and the processor seconds of the tower."""
    cpu_s, began = running.cpu_s(), time.perf_counter()
    burst(running.port, bodies, _LANES, kind)
    running.wait_stored(kind.journal)
    running.wait_stored()
    return time.perf_counter() - began, running.cpu_s() - cpu_s


def _events(number: int, count: int) -> list[bytes]:
    until = datetime.now(UTC) - timedelta(days=15)
    made = events.orders(number, count // events.EVENTS_PER_ORDER + 1, f"N{number}-", until)
    return [body for _, body in zip(range(count), events.batches(made, 1), strict=False)]


def _webhooks(number: int, count: int) -> list[bytes]:
    """Return orders of a shop with ten lines, about 4 KB each."""
    lines = [
        {"id": line, "sku": f"SKU-{line}", "quantity": 1, "price": "19.90", "name": "A thing", "properties": [],
         "tax_lines": [{"title": "VAT", "price": "3.18", "rate": 0.19}], "fulfillable_quantity": 1}
        for line in range(10)
    ]  # fmt: skip
    order = {
        "id": 0, "name": "#1", "created_at": "2026-03-01T10:00:00+01:00", "updated_at": "2026-03-01T10:00:00+01:00",
        "total_price": "199.00", "currency": "EUR", "financial_status": "pending", "customer": {"id": 7},
        "billing_address": {"city": "Somewhere", "country_code": "DE"}, "line_items": lines, "note_attributes": [],
    }  # fmt: skip
    first = 820982911946000000 + number * count
    return [json.dumps({"order": {**order, "id": first + i, "name": f"#{first + i}"}}).encode() for i in range(count)]


def _notices(number: int, count: int) -> list[bytes]:
    """Return ship notices of two orders and four cartons each, about 1 KB."""
    return [_notice(number * count + i) for i in range(count)]


def _notice(number: int) -> bytes:
    control = f"{number:09d}"
    segments = [
        f"ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260301*1000*U*00401*{control}*0*P*>",
        f"GS*SH*SENDER*RECEIVER*20260301*1000*{number}*X*004010", "ST*856*0001", f"BSN*00*SH-{number}*20260301*1000",
        "HL*1**S", f"REF*BM*BOL-{number}", "TD5**2*UPSN", "N1*SF*PLANT*92*009",
    ]  # fmt: skip
    level = 1
    for order in range(2):
        level += 1
        parent = level
        segments += [f"HL*{level}*1*O", f"PRF*PO-{number}-{order}"]
        for carton in range(4):
            segments += [f"HL*{level + 1}*{parent}*P", f"MAN*GM*{number:016d}{order}{carton}",
                         f"HL*{level + 2}*{level + 1}*I", "LIN**UP*012345678905", "SN1**12*EA"]  # fmt: skip
            level += 2
    segments += [f"CTT*{level}", f"SE*{len(segments)}*0001", f"GE*1*{number}", f"IEA*1*{control}"]
    return ("~".join(segments) + "~").encode()
