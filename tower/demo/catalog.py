"""The made-up distributor: its customers, warehouses, systems and the errors its middleware runs into.

Data only. Names are invented; nothing here depends on time or chance.
"""

from __future__ import annotations

from typing import NamedTuple


class Customer(NamedTuple):
    """Who orders. Invoices go out in the customer's currency."""

    id: str
    name: str
    tier: str
    currency: str
    channel: str


class Warehouse(NamedTuple):
    """Where goods leave. pace multiplies the time of every step in it."""

    code: str
    connection: str
    pace: float


_FIRST = (
    "Alder",
    "Brightwater",
    "Cobalt",
    "Dunmore",
    "Eastgate",
    "Fairhaven",
    "Granite",
    "Holloway",
    "Iris",
    "Juniper",
)
_SECOND = (("Hydraulics", "edi"), ("Supply", "commerce"), ("Tool & Die", "crm"), ("Building Products", "edi"))
_CURRENCIES = ("EUR", "EUR", "USD", "EUR", "GBP")
_TIERS = ("standard", "standard", "key", "standard", "strategic", "standard", "key")

CUSTOMERS: tuple[Customer, ...] = tuple(
    Customer(
        id=f"C-{10_000 + 37 * n}",
        name=f"{first} {second}",
        tier=_TIERS[n % len(_TIERS)],
        currency=_CURRENCIES[n % len(_CURRENCIES)],
        channel=channel,
    )
    for n, (first, (second, channel)) in enumerate((f, s) for f in _FIRST for s in _SECOND)
)

BERLIN = Warehouse("BER1", "wms-berlin", 1.0)
HAMBURG = Warehouse("HAM1", "wms-hamburg", 2.4)  # the slow one

# Connection -> the source its events carry; tower/demo/connections.yaml holds the same names.
SOURCES: dict[str, str] = {
    "crm": "/crm/main",
    "shop": "/commerce/shop",
    "edi": "/edi/gateway",
    "erp": "/erp/main",
    "wms-berlin": "/wms/berlin",
    "wms-hamburg": "/wms/hamburg",
    "tms": "/tms/main",
    "tax": "/tax/engine",
    "billing": "/billing/main",
    "bank": "/bank/statements",
    "middleware": "/middleware/bus",
}

# Connection -> how the middleware calls it, as its spans say.
CALLS: dict[str, str] = {
    "crm": "PATCH /sobjects/Order",
    "shop": "POST /admin/orders",
    "edi": "send interchange",
    "erp": "POST /sap/bc/idoc",
    "wms-berlin": "POST /wms/tasks",
    "wms-hamburg": "POST /wms/tasks",
    "tms": "POST /shipments",
    "tax": "POST /v2/transactions",
    "billing": "POST /invoices",
    "bank": "fetch statements",
    "middleware": "publish",
}
CAPTURED_BY: dict[str, str] = {"commerce": "shop", "edi": "edi", "crm": "crm"}

# What goes wrong with a step that says so, in the words an operator sees. {n} is filled with a number.
ERRORS: dict[str, tuple[str, ...]] = {
    "order_accepted": (
        "Mapping error: material ACME-{n} has no ERP number",
        "Partner function missing: no ship-to for sold-to C{n}",
        "Timeout after 30 s calling ERP sales order API",
    ),
    "inventory_allocated": ("Unit of measure BX not convertible to EA for material {n}",),
    "fulfillment_requested": ("HTTP 503 from WMS inbound queue", "Queue o2c.delivery.out full: message parked"),
    "shipment_confirmed": ("Mapping error: carrier code UPSG unknown", "IDoc 51: delivery {n} is locked by user BATCH"),
    "tax_calculated": ("Timeout after 10 s calling tax engine", "Tax code missing for jurisdiction {n}"),
    "invoice_released": ("Posting period closed for company 1000", "Pricing incomplete: PR00 missing on item {n}"),
    "invoice_delivered": ("EDI 810 rejected: N1*BT identifier unknown at partner", "Mailbox of partner unreachable"),
    "payment_applied": ("Remittance advice unreadable: line {n} has no invoice number",),
}
