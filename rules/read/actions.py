"""actions: what an operator, or the engine by itself, may do about a stage."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from rules.errors import closest
from rules.model import Action, Request, Verify
from rules.read.policy import read_policy
from rules.read.presets import Preset, filled, read_preset
from rules.read.targets import read_headers
from rules.section import Section
from rules.vocabulary import TEMPLATE_FIELDS

ACTION_KINDS = ("retry", "replay", "compensate", "redirect", "cancel", "mark_done")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
REDRIVE = "REDRIVE"  # the method of a request that moves messages of a queue
PROPERTIES = ("correlation_id", "message_id")
SAFETY = ("R0", "R1", "R2", "R3")
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def read_actions(book: Section) -> tuple[Action, ...]:
    """Return the actions in the order written."""
    classes = tuple(entry.text("id") for entry in book.sections("errors", "error class"))
    return tuple(_action(section, classes) for section in book.sections("actions", "action"))


def _action(section: Section, classes: tuple[str, ...]) -> Action:
    preset = read_preset(section)
    policy = read_policy(section, classes)
    if preset is not None and preset.once and any(p.attempts > 1 for p in (policy, *(c.policy for c in policy.cases))):
        section.report("policy", f"{preset.name}: {preset.repeat}", "write attempts: 1")
    return Action(
        id=section.identifier("id"),
        kind=section.choice("kind", ACTION_KINDS, "retry", required=True),
        stage=section.text("stage", required=True),
        target=section.text("target", required=True),
        request=_request(section, preset),
        verify=_verify(section),
        policy=policy,
        safety=section.choice("safety", SAFETY, preset.safety if preset else "R1"),
    )


def _request(section: Section, preset: Preset | None) -> Request:
    if preset is not None:
        made = filled(preset, section)
        _check_fields(section, "with", made)
        return Request(made["method"], made["path"], made.get("json"), made.get("headers", {}))
    if section.has("preset"):
        return Request("POST", "/")
    if section.has("redrive"):
        return _redrive(section)
    entry = section.section("request", "request")
    if entry is None:
        section.report("request", "request is missing", 'write request: {method: POST, path: "/retry/{order_id}"}')
        return Request("POST", "/")
    request = Request(
        entry.choice("method", METHODS, "POST"),
        entry.text("path", required=True),
        _plain(entry.raw("json")),
        read_headers(entry),
    )
    if request.path and not request.path.startswith("/"):
        entry.report("path", f"the path {request.path!r} does not start with /", "the host comes from the target")
    for key, template in (("path", request.path), ("json", request.json), ("headers", request.headers)):
        _check_fields(entry, key, template)
    return request


def _redrive(section: Section) -> Request:
    """Return the redriving of a queue as a request: what is selected, and where it goes."""
    if section.has("request"):
        section.report("request", "an action has a request or a redrive", "keep redrive for a target of kind rabbitmq")
    entry = section.section("redrive", "redrive")
    assert entry is not None
    queue, header, named = (
        entry.text("queue", required=True),
        entry.text("header"),
        entry.choice("property", PROPERTIES),
    )
    if header and named:
        entry.report("property", "a header and a property select twice", "keep one")
    wanted = {
        "queue": queue,
        "header": header,
        "property": named,
        "value": entry.text("value", "{order_id}") if header or named else "",
        "to_queue": entry.text("to_queue"),
        "most": entry.count("most", 1000, 1, 50_000),
    }
    _check_fields(entry, "value", wanted)
    return Request(REDRIVE, "/" + quote(queue, safe=""), wanted)


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
    keep = entry.texts("keep") if isinstance(entry.raw("keep"), list) or entry.has("keep") else None
    milestone = entry.text("milestone", required=True)
    return Verify(milestone, within or 0, entry.text("system"), entry.texts("once"), keep)
