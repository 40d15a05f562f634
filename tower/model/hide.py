"""What of a message may be shown: secrets never, what tells of a person only to who asks for it. Text in, text out.

Bodies are other systems' texts in any state, also cut off, so nothing is parsed: members of JSON, elements and
attributes of XML, segments of X12 and EDIFACT and columns of CSV are found by their names, and their values covered. A
text in no known form is covered as a whole where persons are to be hidden. Rather too much is covered than too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

HIDDEN = "•••"
Tells = Callable[[str], bool]

_IS_SECRET = re.compile(
    r"pass(?:word|wd)?|pwd|secret|token|api_?-?key|authorization|signature|session_?-?id|credential|client_?-?key", re.I
)
_PAIR = re.compile(r"(?<![\w-])([\w-]{1,80})=([^&\s\"'<>]+)")
_SECRET_LIKE = re.compile(
    r"\b(?:(?:bearer|basic)\s+[\w.~+/=-]{8,}|(?:sk|pk|rk|whsec|shpat|shpss)_[\w-]{8,}|eyJ[\w-]+\.[\w-]+\.[\w-]+)", re.I
)

_PERSON = (
    r"names?_?\d?|e?_?-?mails?(?:_address)?|(?:tele)?phones?(?:_?numbers?)?|tele(?:phone|fax)?|fax|mobile|cell|"
    r"address(?:es)?(?:_?lines?)?_?\d?|addr_?\d?|street\w*|house_?(?:no|number)|zip(?:_?code)?|post(?:al)?_?code|city|town|county|"
    r"suburb|birth\w*|dob|iban|bic|(?:card_?)?number_?last|last_?4|card_?(?:no|number)|pan|ssn|company|attention|attn|"
    r"(?:vat|tax)_?(?:id|no|number)|notes?|comments?|remarks?|message_?text|(?:browser_?|client_?)?ip|"
    r"latitude|longitude|fingerprint|signed_?by|gift_?message"
)
_IS_PERSON = re.compile(rf"(?:.*_)?(?:{_PERSON})", re.I)
# Names of things, which end like those of people.
_IS_THING = re.compile(
    r"(?:.*_)?(?:event|file|mapping|milestone|topic|type|status|state|connection|source|product|item|sku|variant|"
    r"warehouse|location|carrier|service|method|channel|currency|country|province|plant|app|object|class|field|schema|"
    r"template|shop|gateway|tax|line|option|property|discount|code|rate|price|unit|attribute|entity|table|queue|job|"
    r"process|flow|step|role|key|tracking|order|invoice|reference)s?_?names?",
    re.I,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w.])\+\d{1,3}[\s(/.-]?[\d\s()/.-]{6,18}\d(?!\w)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?\b")

_MEMBER = re.compile(r'("((?:[^"\\]|\\.)*)"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?$)|-?\d[\d.eE+-]*)')
_ELEMENT = re.compile(r"(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)([^<]+)")
_ATTRIBUTE = re.compile(r"(\s(?:[\w.-]+:)?([\w.-]+)\s*=\s*)(\"[^\"<]*\"|'[^'<]*')")


def hide_secrets(text: str) -> str:
    """Return the text with the values of what is named like a secret, and what looks like one, covered."""

    def tells(name: str) -> bool:
        return _IS_SECRET.search(name) is not None

    def pair(found: re.Match[str]) -> str:
        return f"{found[1]}={HIDDEN}" if tells(found[1]) else found[0]

    return _SECRET_LIKE.sub(HIDDEN, _PAIR.sub(pair, _marked(_members(text, tells), tells)))


def hide_person(text: str) -> str:
    """Return the text with what tells of a person covered; all of it where its form is not known."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        return text
    hide = next((hide for begins, hide in _FORMS if begins.match(start)), None)
    if hide is not None:
        covered = hide(text)
    elif mark := _delimiter(text):
        covered = _columns(text, mark)
    else:
        return HIDDEN
    return _IBAN.sub(_account, _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, covered)))


def _account(found: re.Match[str]) -> str:
    """Cover what is an account number by its check digits (ISO 13616); ids of documents look alike."""
    plain = re.sub(r"\s", "", found[0])
    digits = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
    return HIDDEN if int(digits) % 97 == 1 else found[0]


def tells_of_person(name: str) -> bool:
    """Return whether a field of that name tells of a person; camelCase, dots and dashes are read like underscores."""
    plain = re.sub(r"[ .#/-]+", "_", _HUMP.sub("_", name))
    return _IS_PERSON.fullmatch(plain) is not None and _IS_THING.fullmatch(plain) is None


def _members(text: str, tells: Tells) -> str:
    """Cover plain values of JSON members."""

    def cover(found: re.Match[str]) -> str:
        return f'{found[1]}"{HIDDEN}"' if tells(found[2]) else found[0]

    return _MEMBER.sub(cover, text)


def _marked(text: str, tells: Tells) -> str:
    """Cover texts of XML elements and values of attributes."""

    def element(found: re.Match[str]) -> str:
        return f"{found[1]}{HIDDEN}" if found[3].strip() and tells(found[2]) else found[0]

    def attribute(found: re.Match[str]) -> str:
        quote = found[3][0]
        return f"{found[1]}{quote}{HIDDEN}{quote}" if tells(found[2]) else found[0]

    return _ATTRIBUTE.sub(attribute, _ELEMENT.sub(element, text)) if "<" in text else text


# Segment -> which of its elements tell of somebody, counted after the tag; empty: all.
_X12 = {
    "N1": (2,), "N2": (), "N3": (), "N4": (1, 2, 3), "PER": (2, 4, 6, 8), "NM1": (3, 4, 5, 6, 7), "G61": (2, 4),
    "G62": (99,), "MSG": (), "MTX": (2, 3), "NTE": (2,), "DMG": (), "N1A": (),
}  # fmt: skip
_EDIFACT = {"NAD": (3, 4, 5, 6, 7, 8), "CTA": (2,), "COM": (), "FTX": (3, 4)}


# Separators are told by their places in the ISA: one after the tag, the component's in the last element, then the end.
_ISA = re.compile(r"ISA([^A-Za-z0-9\s])(?:(?:(?!\1)[\s\S]){0,80}\1){15}[\s\S]([\s\S])")


def _x12(text: str) -> str:
    found = _ISA.search(text)
    element, end = (found[1], found[2]) if found else ("*", "~")
    return _segments(text, element, "\n" if end == "\r" else end, _X12)


def _edifact(text: str) -> str:
    start = text.find("UNA")
    una = text[start + 3 : start + 9] if start >= 0 else ""
    element, end = (una[1], una[5]) if len(una) == 6 else ("+", "'")
    return _segments(text, element, end, _EDIFACT)


def _segments(text: str, element: str, end: str, wanted: Mapping[str, tuple[int, ...]]) -> str:
    told = []
    for segment in text.split(end):
        blank = segment[: len(segment) - len(segment.lstrip("\r\n \t"))]
        tag, *values = segment[len(blank) :].split(element)
        places = wanted.get(tag)
        if places is not None:
            values = [HIDDEN if v and (not places or i in places) else v for i, v in enumerate(values, 1)]
            segment = blank + element.join([tag, *values])
        told.append(segment)
    return end.join(told)


def _delimiter(text: str) -> str:
    """Return what separates the columns of a text whose first line names them, '' where it has no such line."""
    first = text.lstrip("\ufeff").split("\n", 1)[0][:4000].rstrip("\r")
    for mark in (";", "\t", "|", ","):
        names = [n.strip(' "') for n in first.split(mark)]
        if len(names) > 1 and all(re.fullmatch(r"[A-Za-z][\w .#/-]{0,60}", n) for n in names):
            return mark
    return ""


def _columns(text: str, mark: str) -> str:
    head, *lines = text.split("\n")
    names = [n.strip(' "\ufeff\r') for n in head.split(mark)]
    places = {i for i, n in enumerate(names) if tells_of_person(n)}
    cell = re.compile(rf'(?:^|{re.escape(mark)})("(?:[^"]|"")*"?|[^{re.escape(mark)}]*)')
    return "\n".join([head, *(_cells(line, cell, mark, places, len(names)) for line in lines)])


def _cells(line: str, cell: re.Pattern[str], mark: str, places: set[int], width: int) -> str:
    """Cover cells of a line; one that has other columns than the first line is covered whole."""
    ending = "\r" if line.endswith("\r") else ""
    bare = line.removesuffix("\r")
    if not bare.strip():
        return line
    cells = [found[1] for found in cell.finditer(bare)]
    if len(cells) != width:
        return HIDDEN + ending
    return mark.join(HIDDEN if i in places and c.strip('" ') else c for i, c in enumerate(cells)) + ending


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"[\[{]"), lambda text: _members(text, tells_of_person)),
    (re.compile(r"<"), lambda text: _marked(text, tells_of_person)),
    (re.compile(r"ISA.|GS[*|^]|ST[*|^]"), _x12),
    (re.compile(r"UN[AB]"), _edifact),
)
