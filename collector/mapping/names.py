"""The keys by which systems call objects: where each is unique, how it is spelled, and whether it can be trusted.

An id is `<key>:<scope>/<value>`, such as `customer_po:C-42/PO 4711`; without a scope it is `<key>:<value>`. The numbers
that systems share among them, such as the order number of the ERP, stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.vocabulary import OBJECT_TYPES

# Where a key is unique: everywhere, or within a connection, a company, a customer or a carrier.
SCOPES = ("", "connection", "company", "customer", "carrier")


def _upper(value: str) -> str:
    return value.upper()


def _collapsed(value: str) -> str:
    return " ".join(value.upper().split())


def _closed(value: str) -> str:
    return "".join(value.upper().split())


def _unhashed(value: str) -> str:
    return value.removeprefix("#")


def _sscc(value: str) -> str:
    """Return the 18 digits; the application identifier (00) may stand before them."""
    digits = "".join(c for c in value if c.isdigit())
    return digits[2:] if len(digits) == 20 and digits.startswith("00") else digits


def _same(value: str) -> str:
    return value


@dataclass(frozen=True, slots=True)
class Key:
    """One key. shared: its values stand alone as ids. weak: two objects may have it, and then it links none."""

    types: tuple[str, ...]
    scope: str = "connection"
    weak: bool = False
    shared: bool = False
    spell: Callable[[str], str] = _same


# Source: the correlation table of docs/connections/mappings.md.
KEYS: dict[str, Key] = {
    "erp_order_no": Key(("order",), "", shared=True),
    "crm_order_id": Key(("order",)),
    "crm_order_no": Key(("order",)),
    "crm_opportunity_id": Key(("order",), weak=True),
    "commerce_order_id": Key(("order",)),
    "commerce_order_name": Key(("order",), spell=_unhashed),
    "commerce_cart_id": Key(("order",)),
    "customer_po": Key(("order",), "customer", weak=True, spell=_collapsed),
    "erp_order_line": Key(("order_line",), "", shared=True),
    "commerce_line_id": Key(("order_line",)),
    "delivery_no": Key(("fulfillment",), "", shared=True),
    "wms_order_no": Key(("fulfillment",)),
    "fulfillment_order_id": Key(("fulfillment",)),
    "shipment_no": Key(("shipment",), "", shared=True),
    "commerce_shipment_id": Key(("shipment",)),
    "carrier_shipment_id": Key(("shipment",)),
    "bol_no": Key(("shipment",), "company", weak=True, spell=_upper),
    "pro_no": Key(("shipment",), "carrier", weak=True, spell=_upper),
    "tracking_no": Key(("shipment",), "carrier", weak=True, spell=_closed),
    "sscc": Key(("shipment",), "", spell=_sscc),
    "load_no": Key(("load",), "", shared=True),
    "invoice_no": Key(("invoice",), "", shared=True, spell=_upper),
    "billing_invoice_id": Key(("invoice",)),
    "commerce_invoice_id": Key(("invoice",)),
    "payment_no": Key(("payment",), "", shared=True),
    "psp_payment_id": Key(("payment",)),
    "commerce_payment_id": Key(("payment",)),
    "payment_ref": Key(("payment",), "customer", weak=True, spell=_upper),
    "credit_memo_no": Key(("credit_memo",), "", shared=True, spell=_upper),
    "billing_credit_id": Key(("credit_memo",)),
    "commerce_credit_id": Key(("credit_memo",)),
    "rma_no": Key(("return",), "", shared=True),
    "commerce_return_id": Key(("return",)),
    "stock": Key(("inventory_position",)),
    "case_id": Key(("case",)),
    "edi_doc": Key(("document",), ""),
    "edi_ref": Key(("document",), "", weak=True),
    "tax_doc_code": Key(("document",), "company"),
    "local_id": Key(OBJECT_TYPES),
}

# One word for a carrier, whatever the sender calls it: its name, its code of four letters, a service of it.
_CARRIERS = {
    "UPS": ("UPSN", "UPSG", "UPSS", "UPGF", "UNITEDPARCELSERVICE", "UPSDAP", "UPSWALLETED"),
    "FEDEX": (
        "FDE",
        "FDEG",
        "FDEN",
        "FXFE",
        "FEDX",
        "FEDEXGROUND",
        "FEDEXEXPRESS",
        "FEDEXFREIGHT",
        "FDXG",
        "FEDEXDEFAULT",
        "FEDEXWALLETED",
    ),
    "USPS": ("USPSN", "UNITEDSTATESPOSTALSERVICE", "USPOSTALSERVICE", "STAMPSCOM"),
    "DHL": ("DHLEXPRESS", "DHLECOMMERCE", "DHLN", "DHLC", "DHLPAKET", "DHLGERMANY", "DHLEXPRESSWORLDWIDE"),
    "DPD": ("DPDUK", "DPDDE", "DPDGERMANY"),
    "GLS": ("GLSGERMANY", "GENERALLOGISTICSSYSTEMS"),
    "ONTRAC": ("ONTR",),
    "CANADAPOST": ("CPC", "CANADAPOSTCORPORATION"),
}
_CARRIER = {other: carrier for carrier, others in _CARRIERS.items() for other in others}


def carrier(name: str) -> str:
    """Return the one word for a carrier; unknown ones keep their own, in capital letters and digits only."""
    plain = "".join(c for c in name.upper() if c.isalnum())
    return _CARRIER.get(plain, plain)


def id_of(key: str, scope: str, value: str) -> str:
    """Return the id of an object that is called value within a scope; '' for a value that names nothing."""
    known = KEYS[key]
    spelled = known.spell(value.strip())
    if not spelled or known.shared:
        return spelled
    if known.scope == "carrier":
        scope = carrier(scope)
    return f"{key}:{scope}/{spelled}" if scope else f"{key}:{spelled}"
