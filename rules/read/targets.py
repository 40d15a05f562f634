"""targets: where the tower may send, how much at a time, and when it leaves one alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rules.model import Breaker, Limit, OAuth2, Target
from rules.section import Section

_REFERENCE = re.compile(r"env:TOWER_SECRET_[A-Z0-9_]+|file:[A-Za-z0-9][A-Za-z0-9._-]*")
_METHODS = ("client_secret_basic", "client_secret_post")
_REFERENCE_HINT = "write env:TOWER_SECRET_NAME, or file:NAME for a file of the secrets folder"
_RATE = re.compile(r"([1-9][0-9]{0,5})/([smhd])")
_SCHEMES = {"http": ("http", "https"), "rabbitmq": ("amqp", "amqps")}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_CALLS = 1_000_000


def is_reference(text: str) -> bool:
    """Return whether a text refers to a secret instead of holding one."""
    return _REFERENCE.fullmatch(text) is not None


def read_targets(book: Section) -> dict[str, Target]:
    """Return the targets by name."""
    return {
        name: _target(name, Section(book.document, path, value, "target"))
        for name, path, value in book.named("targets")
    }


def _target(name: str, section: Section) -> Target:
    kind = section.choice("kind", tuple(_SCHEMES), "http")
    url = section.text("url", required=True)
    check_url(section, "url", url, _SCHEMES[kind])
    auth = section.section("auth", "auth")
    references = {key: auth.text(key) for key in ("bearer", "basic") if auth and auth.has(key)}
    if auth is not None:
        if len(auth.value) > 1:
            auth.report(None, "two ways to authenticate", "keep bearer, basic or oauth2")
        for key, reference in references.items():
            if not is_reference(reference):
                auth.report(
                    key, "this is no reference to a secret, and secrets do not belong in a book", _REFERENCE_HINT
                )
    hosts = section.texts("hosts")
    for host in (h for h in hosts if "/" in h or ":" in h):
        section.report("hosts", f"{host!r} is no name of a host", "write for example hosts: [login.example]")
    grant = _oauth2(auth, (_host(url), *hosts)) if auth is not None and auth.has("oauth2") else None
    if kind == "rabbitmq" and auth is not None and (grant is not None or "bearer" in references):
        key = "bearer" if "bearer" in references else "oauth2"
        auth.report(key, "a broker takes a name and a password", "write basic, a reference to user:password")
    timeout = section.duration("timeout", least=1)
    probe = section.text("probe")
    if probe and not probe.startswith("/"):
        section.report("probe", f"the path {probe!r} does not start with /", "write for example probe: /healthz")
    return Target(
        name, kind, url, references, read_headers(section), float(timeout or 10),
        breaker=_breaker(section), rate=_rate(section), budget=_budget(section), probe=probe,
        oauth2=grant, hosts=hosts,
    )  # fmt: skip


def _oauth2(auth: Section, hosts: tuple[str, ...]) -> OAuth2 | None:
    entry = auth.section("oauth2", "oauth2")
    if entry is None:
        return None
    token_url, client = entry.text("token_url", required=True), entry.text("client", required=True)
    check_url(entry, "token_url", token_url)
    if token_url and (host := _host(token_url)) not in hosts:
        hint = f"add hosts: [{host}] to the target" if host else ""
        entry.report("token_url", f"{host or token_url!r} is not the host of the target, nor among its hosts", hint)
    if client and not is_reference(client):
        problem = "this is no reference to a secret, and secrets do not belong in a book"
        entry.report("client", problem, f"{_REFERENCE_HINT}, that holds client_id:client_secret")
    method = entry.choice("method", _METHODS, _METHODS[0])
    return OAuth2(token_url, client, entry.text("scope"), entry.text("audience"), method)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _breaker(section: Section) -> Breaker:
    entry, default = section.section("breaker", "breaker"), Breaker()
    if entry is None:
        return default
    open_s = entry.duration("open_for", least=1) or default.open_s
    longest_s = entry.duration("longest", least=1) or max(default.longest_s, open_s)
    if longest_s < open_s:
        entry.report("longest", "longest is shorter than open_for", "the pause grows from open_for up to longest")
    return Breaker(entry.count("failures", default.failures, 1, 1000), open_s, longest_s)


def _rate(section: Section) -> Limit | None:
    written = section.text("rate")
    if not written:
        return None
    if (match := _RATE.fullmatch(written.replace(" ", ""))) is None:
        section.report("rate", f"{written!r} is no rate", "write for example 5/s or 120/m")
        return None
    return Limit(int(match[1]), _UNITS[match[2]])


def _budget(section: Section) -> tuple[Limit, ...]:
    entry = section.section("budget", "budget")
    if entry is None:
        return ()
    if not entry.value:
        entry.report(None, "the budget is empty", "write per_hour, per_day or both")
    windows = (("per_hour", _UNITS["h"]), ("per_day", _UNITS["d"]))
    return tuple(Limit(entry.count(k, 1, 1, _MOST_CALLS), seconds) for k, seconds in windows if entry.has(k))


def check_url(section: Section, key: str, url: str, schemes: tuple[str, str] = ("http", "https")) -> None:
    """Report a URL without one of the schemes or a host, or that carries credentials, a query or a fragment."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, good = urlsplit(""), False
    if not good:
        problem = f"{url!r} is no {schemes[0]} or {schemes[1]} address"
        section.report(key, problem, f"write for example {schemes[1]}://middleware.example:9000")
    elif "@" in parts.netloc or parts.query or parts.fragment:
        section.report(key, "the address holds more than scheme, host, port and path", "put secrets under auth")


def read_headers(section: Section) -> dict[str, str]:
    """Return the headers of a target or a request."""
    headers = {}
    for name, path, value in section.named("headers"):
        if isinstance(value, dict | list | bool) or value is None:
            section.document.report(path, f"{value!r} is no text", "write a text, or a reference to a secret")
            continue
        headers[name] = str(value)
    return headers
