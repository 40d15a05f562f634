"""One entry of the connections file to a Connection: every key, what it may hold, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rules.errors import closest
from tower.model.connection import Connection, Files, Limits, Verify
from tower.model.entry import Entry, shown
from tower.model.read_spans import read_spans
from tower.model.schemes import CHOICES, LISTS, SCHEMES
from tower.model.secret import is_reference

KEYS = (
    "name", "kind", "source", "scope", "company", "warehouse", "partner", "attributes", "mapping", "verify", "zone",
    "currency", "codes", "limits", "contracts", "files", "event_id", "headers", "origins",
    "spans",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}")
_PART = re.compile(r"(?:header|query):\S{1,120}|body:[^\s.]+(?:\.[^\s.]+)*")
_SCHEMA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[0-9]+")
_REFERENCE = "env:TOWER_SECRET_NAME or file:NAME"


def read_connection(entry: Entry) -> Connection:
    """Return the connection. Raises ConnectionsError."""
    name = entry.text("name", required=True)
    kind = entry.text("kind", required=True)
    entry.title = f"connection {name}"
    source = entry.text("source") or f"/{kind}/{name}"
    return Connection(
        name=name,
        kind=kind,
        source=source,
        scope=entry.text("scope"),
        company=entry.text("company"),
        warehouse=entry.text("warehouse"),
        partner=entry.text("partner"),
        attributes=frozenset(entry.texts("attributes", write="a list of field names")),
        mapping=_mapping(entry),
        verify=_verify(entry),
        zone=_zone(entry),
        currency=_currency(entry),
        codes=_codes(entry),
        limits=_limits(entry),
        contracts=_contracts(entry),
        files=_files(entry),
        event_id=_event_id(entry),
        headers=frozenset(_header(entry, "headers", text) for text in entry.texts("headers")),
        origins=frozenset(entry.texts("origins", write="a list of host names")),
        spans=read_spans(entry),
    )


def _mapping(entry: Entry) -> str:
    name = entry.text("mapping", write="the name of a folder of mappings, such as mapping: shopify")
    if name and not _NAME.fullmatch(name):
        entry.fail("mapping", f"{name!r} is no name of a folder; use letters, digits, dots, - and _")
    return name


def _zone(entry: Entry) -> str:
    zone = entry.text("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        entry.fail("zone", f"unknown time zone {zone!r}; {closest(zone, available_timezones())}")
    return zone


def _currency(entry: Entry) -> str:
    currency = entry.text("currency")
    if currency and not _CURRENCY.fullmatch(currency):
        entry.fail("currency", f"{currency!r} is no currency; write three capital letters of ISO 4217, such as EUR")
    return currency


def _codes(entry: Entry) -> Mapping[str, Mapping[str, str]]:
    write = 'a table of codes, such as codes: {partner: {"0012345": ACME}}'
    tables = entry.named("codes", write)
    for table, words in tables.items():
        if not isinstance(words, dict):
            entry.fail("codes", f"{table}: {shown(words)} is no table; write {write}")
        for code, word in words.items():
            if not isinstance(word, str):
                entry.fail("codes", f'{table}: {code!r} stands for {shown(word)}; write a text, in quotes: "{word}"')
    return {table: dict(words) for table, words in tables.items()}


def _limits(entry: Entry) -> Limits:
    if not entry.has("limits"):
        return Limits()
    limits = entry.below("limits", ("per_second", "per_day"), "limits: {per_second: 50, per_day: 100000}")
    return Limits(limits.count("per_second", 1, 1_000_000), limits.count("per_day", 1, 10_000_000_000))


def _contracts(entry: Entry) -> Mapping[str, tuple[str, ...]]:
    write = "the schema versions accepted, such as contracts: {orders/create: shopify.order@2}"
    found: dict[str, tuple[str, ...]] = {}
    for message, value in entry.named("contracts", write).items():
        versions = value if isinstance(value, list) else [value]
        for version in versions:
            if not isinstance(version, str) or not _SCHEMA.fullmatch(version):
                entry.fail("contracts", f"{message}: {shown(version)} is no name@version; write {write}")
        found[message] = tuple(versions)
    return found


def _files(entry: Entry) -> Files | None:
    if not entry.has("files"):
        return None
    write = 'files: {folder: /in/legacy, pattern: "*.csv", settle: 60s}'
    files = entry.below("files", ("folder", "pattern", "settle", "done", "archive"), write)
    return Files(
        files.text("folder", required=True, write="the folder to watch"),
        files.text("pattern", "*"),
        files.duration("settle", 60, 1),
        files.text("done"),
        files.choice("archive", ("yes", "no"), "yes") == "yes",
    )


def _event_id(entry: Entry) -> str:
    part = entry.text("event_id")
    if part and not _PART.fullmatch(part):
        entry.fail("event_id", f"{part!r} names no part of a message; write header:NAME, query:NAME or body:path.to.id")
    return _lowered(part)


def _lowered(part: str) -> str:
    """Return a part of a message with its header's name in lower case."""
    return part.lower() if part.lower().startswith("header:") else part


def _header(entry: Entry, key: str, text: str) -> str:
    if not _HEADER.fullmatch(text):
        entry.fail(key, f"{text!r} is no name of a header")
    return text.lower()


def _verify(entry: Entry) -> Verify:
    if not entry.has("verify"):
        return Verify()
    write = 'verify: {scheme: shopify, secrets: ["env:TOWER_SECRET_SHOP"]}'
    named = entry.named("verify", write).get("scheme")
    if named not in SCHEMES:
        what = "the scheme is missing" if named is None else f"unknown scheme {shown(named)}"
        entry.fail("verify", f"{what}; {closest(str(named), SCHEMES)}")
    scheme = SCHEMES[named]
    known = ("scheme", "expect", *(("secrets",) if scheme.secrets else ()), *scheme.options)
    verify = entry.below("verify", known, write)
    secrets = verify.texts("secrets", write=f'secrets: ["{_REFERENCE}"]')
    for secret in secrets:
        if not is_reference(secret):
            verify.fail("secrets", f"an entry is no reference; write {_REFERENCE}, never the secret itself")
    if scheme.secrets and not secrets:
        verify.fail("secrets", f"{named} needs {scheme.secrets}; write secrets: [...] with {_REFERENCE} for each")
    options = {name: _option(verify, name, default) for name, default in scheme.options.items()}
    if named == "hmac":
        _check_signed(verify, options)
    return Verify(named, secrets, options, _expect(verify))


def _option(verify: Entry, name: str, default: str | None) -> tuple[str, ...]:
    if name in LISTS:
        values = verify.texts(name)
        if not values and default is None:
            verify.fail(name, f"it is missing; write {name}: [...]")
        if name == "proxies":
            for value in values:
                try:
                    ip_network(value)
                except ValueError:
                    verify.fail(name, f"{value!r} is no address or network; write for example 10.0.0.0/8")
        return values
    if name == "tolerance":
        return (str(verify.duration(name, int((default or "0s")[:-1]))),)
    if name in CHOICES:
        return (verify.choice(name, CHOICES[name], default or ""),)
    value = verify.text(name, default or "", required=default is None)
    if name in ("header", "timestamp") and value:
        value = _header(verify, name, value)
    return (value,)


def _check_signed(verify: Entry, options: Mapping[str, tuple[str, ...]]) -> None:
    (signed,), (timestamp,) = options["signed"], options["timestamp"]
    if signed.count("{body}") != 1:
        verify.fail("signed", f'{signed!r} must hold {{body}} once; write for example "{{timestamp}}.{{body}}"')
    if ("{timestamp}" in signed) != bool(timestamp):
        verify.fail("signed", "signed with {timestamp} and timestamp: HEADER belong together; write both or neither")


def _expect(verify: Entry) -> Mapping[str, tuple[str, ...]]:
    write = 'what a part must say, such as expect: {"header:X-Shopify-Shop-Domain": my.example}'
    found: dict[str, tuple[str, ...]] = {}
    for part, value in verify.named("expect", write).items():
        values: list[Any] = value if isinstance(value, list) else [value]
        if not _PART.fullmatch(part) or not values or not all(isinstance(v, str) and v for v in values):
            verify.fail("expect", f"{part}: {shown(value)} cannot be used; write {write}")
        found[_lowered(part)] = tuple(values)
    return found
