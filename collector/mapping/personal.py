"""Mappings are an allow-list: what an event carries is named one by one, and never what names a person."""

from __future__ import annotations

import re
from itertools import pairwise

from collector.mapping.expression import ends, parse

# Ends of a path that hold a person's data, in letters only.
WORDS = (
    "name", "firstname", "lastname", "givenname", "familyname", "surname", "fullname", "contactname", "displayname",
    "companyname", "customername", "recipientname", "cardholdername", "email", "emailaddress", "mail", "contactemail",
    "phone", "phonenumber", "telephone", "mobile", "fax", "address", "address1", "address2", "addressline1",
    "addressline2", "street", "street1", "street2", "city", "zip", "zipcode", "postalcode", "postcode", "birthdate",
    "dateofbirth", "ssn", "taxid", "vatid", "iban", "browserip", "ipaddress", "note", "notes", "comment", "comments",
    "latitude", "longitude", "signedby", "shipto", "billto", "shippingaddress", "billingaddress", "contact",
)  # fmt: skip
# Segments of X12 and EDIFACT that hold names, addresses and contacts; of N1 and NAD the name only.
SEGMENTS = ("N2", "N3", "N4", "PER", "CTA", "COM", "G61")
ELEMENTS = {"N1": ("02",), "NAD": ("03", "04", "05", "06", "07", "08")}
_LETTERS = re.compile(r"[^a-z0-9]")


def personal(expression: str) -> str:
    """Return the part of an expression whose value would name a person, '' if there is none."""
    for path in ends(parse(expression)):
        last = _LETTERS.sub("", path[-1].lower())
        if last in WORDS:
            return path[-1]
        for segment, element in pairwise(path):
            if segment in SEGMENTS or element in ELEMENTS.get(segment, ()):
                return f"{segment}{element}"
    return ""
