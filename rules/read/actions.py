"""targets and actions: where the tower may send, and what an operator may do about a stage."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from rules.errors import closest
from rules.model import Action, Policy, Request, Target, Verify
from rules.section import Section
from rules.vocabulary import TEMPLATE_FIELDS

ACTION_KINDS = ("retry", "replay", "compensate", "redirect", "mark_done")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
BACKOFFS = ("none", "fixed", "exponential")
SAFETY = ("R0", "R1", "R2", "R3")
_REFERENCE = re.compile(r"env:TOWER_SECRET_[A-Z0-9_]+|file:[A-Za-z0-9][A-Za-z0-9._-]*")
_REFERENCE_HINT = "write env:TOWER_SECRET_NAME, or file:NAME for a file of the secrets folder"
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


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
    kind = section.choice("kind", ("http",), "http")
    url = section.text("url", required=True)
    check_url(section, "url", url)
    auth = section.section("auth", "auth")
    references = {key: auth.text(key) for key in ("bearer", "basic") if auth and auth.has(key)}
    if auth is not None:
        if len(auth.value) > 1:
            auth.report(None, "two ways to authenticate", "keep bearer or basic")
        for key, reference in references.items():
            if not is_reference(reference):
                auth.report(
                    key, "this is no reference to a secret, and secrets do not belong in a book", _REFERENCE_HINT
                )
    timeout = section.duration("timeout", least=1)
    return Target(name, kind, url, references, _headers(section), float(timeout or 10))


def check_url(section: Section, key: str, url: str) -> None:
    """Report a URL that is not http(s) with a host, or that carries credentials, a query or a fragment."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, good = urlsplit(""), False
    if not good:
        section.report(key, f"{url!r} is no http or https address", "write for example https://middleware.example:9000")
    elif "@" in parts.netloc or parts.query or parts.fragment:
        section.report(key, "the address holds more than scheme, host, port and path", "put secrets under auth")


def _headers(section: Section) -> dict[str, str]:
    headers = {}
    for name, path, value in section.named("headers"):
        if isinstance(value, dict | list | bool) or value is None:
            section.document.report(path, f"{value!r} is no text", "write a text, or a reference to a secret")
            continue
        headers[name] = str(value)
    return headers


def read_actions(book: Section) -> tuple[Action, ...]:
    """Return the actions in the order written."""
    return tuple(_action(section) for section in book.sections("actions", "action"))


def _action(section: Section) -> Action:
    return Action(
        id=section.identifier("id"),
        kind=section.choice("kind", ACTION_KINDS, "retry", required=True),
        stage=section.text("stage", required=True),
        target=section.text("target", required=True),
        request=_request(section),
        verify=_verify(section),
        policy=_policy(section),
        safety=section.choice("safety", SAFETY, "R1"),
    )


def _request(section: Section) -> Request:
    entry = section.section("request", "request")
    if entry is None:
        section.report("request", "request is missing", 'write request: {method: POST, path: "/retry/{order_id}"}')
        return Request("POST", "/")
    request = Request(
        entry.choice("method", METHODS, "POST"),
        entry.text("path", required=True),
        _plain(entry.raw("json")),
        _headers(entry),
    )
    if request.path and not request.path.startswith("/"):
        entry.report("path", f"the path {request.path!r} does not start with /", "the host comes from the target")
    for key, template in (("path", request.path), ("json", request.json), ("headers", request.headers)):
        _check_fields(entry, key, template)
    return request


def _check_fields(section: Section, key: str, template: Any) -> None:
    if isinstance(template, dict):
        for name, value in template.items():
            _check_fields(section, key, name)
            _check_fields(section, key, value)
    elif isinstance(template, list):
        for value in template:
            _check_fields(section, key, value)
    elif isinstance(template, str):
        for match in _FIELD.finditer(template):
            if match[0] in ("{{", "}}"):
                continue
            if match[1] is None:
                section.report(key, f"{template!r} has a lone brace", "write {{ or }} for a brace")
            elif match[1] not in TEMPLATE_FIELDS:
                section.report(key, f"there is no field {{{match[1]}}}", closest(match[1], TEMPLATE_FIELDS))


def _plain(value: Any) -> Any:
    """JSON knows no Decimal: a fraction stays the text it was written as."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def _verify(section: Section) -> Verify:
    entry = section.section("verify", "verify")
    if entry is None:
        section.report("verify", "verify is missing", "say which milestone proves that it worked, and within what time")
        return Verify("", 0)
    within = entry.duration("within", least=1)
    if not entry.has("within"):
        entry.report("within", "within is missing", "write within: 60s")
    return Verify(entry.text("milestone", required=True), within or 0)


def _policy(section: Section) -> Policy:
    entry = section.section("policy", "policy")
    if entry is None:
        return Policy()
    default = Policy()
    first = entry.duration("first", least=1) or default.first_s
    longest = entry.duration("max", least=1) or default.max_s
    if entry.has("first") and entry.has("max") and longest < first:
        entry.report("max", "max is shorter than first", "the wait grows from first up to max")
    return Policy(
        entry.count("attempts", default.attempts, 1, 100),
        entry.choice("backoff", BACKOFFS, default.backoff),
        first,
        longest,
        entry.flag("automatic"),
    )
