"""One customer order as EDI tells it, document by document: one order, whatever comes first."""

from __future__ import annotations

import random
from typing import Any

import httpx

from tests.acceptance.events import page
from tests.acceptance.telling import SECRET, Story, World

# connection, sender, receiver, functional group, set, group number, segments
DOCUMENTS = [
    ("edi", "ACME", "US", "PO", "850", "11", "BEG*00*SA*PO 77**20260301~CUR*BY*USD~PO1*1*5*EA*20~CTT*1~AMT*TT*100~"),
    ("edi", "US", "ACME", "PR", "855", "21", "BAK*00*AD*PO 77*20260301****SO-77*20260301~"),
    ("edi", "US", "3PL", "OW", "940", "22", "W05*N*80001234*PO 77~N1*ST*X*92*S1~W76*5~"),
    ("logi", "3PL", "US", "SW", "945", "31", "W06*F*80001234*20260302*SH-77**PO 77~N1*ST*X*92*S1~W27*M*UPSN~N9*CN*pro7~W12*CC*5*5*0*EA*1~"),
    ("edi", "US", "ACME", "SH", "856", "23", "BSN*00*SH-77*20260302*1700~HL*1**S~DTM*011*20260302*1600~HL*2*1*O~PRF*PO 77~"),
    ("truck", "UPSN", "US", "QM", "214", "41", "B10*pro7*SH-77*UPSN~LX*1~AT7*D1*NS***20260304*0815*UT~"),
    ("edi", "US", "ACME", "IN", "810", "24", "BIG*20260303*INV-77**PO 77~CUR*SE*USD~TDS*9000~"),
    ("edi", "ACME", "US", "FA", "997", "12", "AK1*IN*24~AK2*810*0001~AK5*A~AK9*A*1*1*1~"),
    ("edi", "ACME", "US", "RA", "820", "13", "BPR*C*90*C*ACH************20260305~TRN*1*T1~ENT*1~RMR*IV*INV-77**90~REF*PO*PO 77~"),
]  # fmt: skip
# sender, receiver, message, interchange number, segments
MESSAGES = [
    ("ACME", "US", "ORDERS", "11", "BGM+220+PO 88+9'DTM+137:20260301:102'CUX+2:EUR:9'LIN+1'QTY+21:5'UNS+S'MOA+86:100'"),
    ("US", "ACME", "ORDRSP", "21", "BGM+231+R+29'DTM+137:20260301:102'RFF+ON:PO 88'RFF+VN:SO-88'UNS+S'"),
    ("US", "ACME", "DESADV", "22", "BGM+351+SH-88+9'DTM+11:202603021600:203'CPS+1'LIN+1'QTY+12:5'RFF+ON:PO 88'"),
    ("ACME", "US", "RECADV", "12", "BGM+632+W+9'DTM+50:202603040815:203'RFF+AAK:SH-88'RFF+ON:PO 88'"),
    ("US", "ACME", "INVOIC", "23", "BGM+380+INV-88+9'DTM+137:20260303:102'RFF+ON:PO 88'CUX+2:EUR:4'UNS+S'MOA+77:119'"),
    ("ACME", "US", "CONTRL", "13", "UCI+23+US:14+ACME:14+7'"),
    ("ACME", "US", "APERAK", "14", "BGM+313+A+9'RFF+ACW:INV-88'ERC+Z29'"),
    ("ACME", "US", "REMADV", "15", "BGM+481+T8+9'DTM+137:20260305:102'CUX+2:EUR'DOC+380+INV-88'MOA+12:119'UNS+S'"),
]  # fmt: skip


def interchange(sender: str, receiver: str, group: str, kind: str, number: str, segments: str) -> bytes:
    count = segments.count("~") + 2
    return (
        f"ISA*00*          *00*          *ZZ*{sender:15}*ZZ*{receiver:15}*260306*0930*U*00401*0000000{number}*0*P*>~"
        f"GS*{group}*{sender}*{receiver}*20260306*0930*{number}*X*004010~ST*{kind}*0001~"
        f"{segments}SE*{count}*0001~GE*1*{number}~IEA*1*0000000{number}~"
    ).encode()


def message(sender: str, receiver: str, kind: str, number: str, segments: str) -> bytes:
    count = segments.count("'") + 2
    return (
        f"UNB+UNOC:3+{sender}:14+{receiver}:14+260306:0930+{number}'UNH+1+{kind}:D:96A:UN'"
        f"{segments}UNT+{count}+1'UNZ+1+{number}'"
    ).encode()


def post(world: World, connection: str, *bodies: bytes) -> None:
    for body in bodies:
        headers = {"Authorization": f"Bearer {SECRET}"}
        reply = httpx.post(f"{world.url}/v1/ingest/{connection}", content=body, headers=headers, timeout=60)
        assert reply.status_code in (200, 202), reply.text


def the_documents_of_an_order_are_one_order_in_any_order_and_twice(world: World) -> Story:
    documents = [(connection, interchange(*document)) for connection, *document in [*DOCUMENTS, *DOCUMENTS]]
    random.Random(7).shuffle(documents)

    def tell(some: list[tuple[str, bytes]]) -> None:
        for connection, body in some:
            post(world, connection, body)

    yield [lambda: tell(documents[:9])]
    yield [lambda: tell(documents[9:])]
    found = page(world.client, "SO-77")
    told = sorted((m["milestone"], m["occurred_at"]) for m in found["milestones"])
    assert {milestone for milestone, _ in told} == {
        "order_captured", "order_accepted", "fulfillment_requested", "shipment_confirmed", "delivered", "invoice_released", "invoice_delivered",
        "document_sent", "document_acknowledged", "remittance_received",
    }  # fmt: skip
    assert ("delivered", "2026-03-04T08:15:00.000Z") in told
    assert (found["amount"], found["currency"], found["customer_id"]) == ("100.00", "USD", "C-42"), (
        "of the order, not of its invoice"
    )
    assert held(world, "edi", "logi", "truck") == []


def the_messages_of_an_order_are_one_order_too(world: World) -> Story:
    messages = [message(*told) for told in [*MESSAGES, *MESSAGES]]
    random.Random(8).shuffle(messages)
    yield [lambda: post(world, "edi-eu", *messages[:8])]
    yield [lambda: post(world, "edi-eu", *messages[8:])]
    told = page(world.client, "SO-88")
    found = {m["milestone"]: m["occurred_at"] for m in told["milestones"]}
    assert set(found) == {
        "order_captured", "order_accepted", "shipment_confirmed", "delivered", "invoice_released", "invoice_delivered",
        "document_sent", "document_acknowledged", "document_rejected", "remittance_received",
    }  # fmt: skip
    assert found["delivered"] == "2026-03-04T08:15:00.000Z"
    assert (told["amount"], told["currency"], told["customer_id"]) == ("100.00", "EUR", "C-42")
    assert held(world, "edi-eu") == []


def held(world: World, *connections: str) -> list[dict[str, Any]]:
    rows = world.client.get("/v1/quarantine").json()["quarantine"]
    return [row for row in rows if row["connection"] in connections]
