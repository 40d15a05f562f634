"""Requests from templates: `{field}` filled from the item, quoted for the place it lands in.

In a path or query a value is percent-encoded, so it cannot add a segment or a parameter; in the body it stays a
JSON string; in a header it may hold no control character. `{{` and `}}` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from rules.model import Action, Request, Target
from tower.model.secret import is_reference

TEMPLATE_FIELDS: tuple[str, ...] = (
    "order_id", "object_type", "object_id", "stage", "attempt", "action_id", "item_id", "requested_by", "reason",
    "state", "error", "system", "from_milestone", "milestone", "since", "due_at", "priority", "amount", "currency",
    "customer_id", "customer_tier", "channel", "order_type", "company", "warehouse", "partner",
)  # fmt: skip
HIDDEN = "***"
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET", "REDRIVE")
_OWN_HEADERS = frozenset(
    {"idempotency-key", "authorization", "host", "content-length", "content-type", "transfer-encoding"}
)


class TemplateError(ValueError):
    """A request cannot be made from its template; the message says which field and why."""


def unknown_fields(request: Request) -> list[str]:
    """Return the fields that the request names and no item has, for the lint of a book; [] when all are known."""
    named: list[str] = []

    def note(name: str) -> str:
        named.append(name)
        return ""

    fill(request.path, note)
    for value in request.headers.values():
        fill(value, note)
    _walk(request.json, note)
    return sorted({n for n in named if n not in TEMPLATE_FIELDS})


def render(action: Action, target: Target, fields: Mapping[str, str], key: str) -> dict[str, Any]:
    """Return what goes on the wire, without any secret: target, method, url, headers, json.

    Raises TemplateError for an unknown field, a broken brace or a value that a header cannot carry. Secrets are
    named by reference in the target and join at send time only.
    """

    def plain(name: str) -> str:
        if name not in fields:
            raise TemplateError(f"there is no field {{{name}}}; fields are {', '.join(TEMPLATE_FIELDS)}")
        return fields[name]

    request = action.request
    method = request.method.upper()
    if method not in _METHODS:
        raise TemplateError(f"method {request.method!r} is none of {', '.join(_METHODS)}")
    path = fill(request.path, lambda name: quote(plain(name), safe=""))
    if not path.startswith("/"):
        raise TemplateError(f"the path {request.path!r} must start with /")
    if {".", ".."} & set(path.partition("?")[0].split("/")):
        raise TemplateError(f"the path {path!r} would climb to another one")
    headers = {"Idempotency-Key": key}
    for name, value in request.headers.items():
        if not _HEADER_NAME.match(name) or name.lower() in _OWN_HEADERS:
            raise TemplateError(f"the header {name!r} cannot be set by a template")
        if is_reference(value):
            raise TemplateError(f"the header {name!r} names a secret; secrets belong to the target")
        headers[name] = header_value(name, fill(value, plain))
    return {
        "target": target.name,
        "method": method,
        "url": target.url.rstrip("/") + path,
        "headers": headers,
        "json": _walk(request.json, plain),
    }


def fill(template: str, value: Callable[[str], str]) -> str:
    """Return the text with each {field} replaced by value(field)."""

    def one(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise TemplateError(f"{template!r} has a lone brace; write {{{{ or }}}} for a brace")
        return value(match[1])

    return _FIELD.sub(one, template)


def header_value(name: str, value: str) -> str:
    """Return the value if a header can carry it; raises TemplateError otherwise."""
    if any(ord(c) < 32 or ord(c) > 126 for c in value):
        raise TemplateError(f"the header {name!r} would hold a character that headers cannot carry")
    return value


def shown(request: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Return the request as it may be shown to people: with the places of its secrets, without the secrets."""
    headers = dict(request["headers"])
    if target.way_in:
        headers["Authorization"] = f"{'Basic' if target.way_in == 'basic' else 'Bearer'} {HIDDEN}"
    headers.update({name: HIDDEN if is_reference(value) else value for name, value in target.headers.items()})
    return {**request, "headers": headers}


def _walk(value: Any, fields: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value, fields)
    if isinstance(value, Mapping):
        return {fill(str(k), fields): _walk(v, fields) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(v, fields) for v in value]
    return value
