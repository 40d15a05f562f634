"""routes and receivers: who hears about what. Checked for their form and kept as written."""

from __future__ import annotations

from typing import Any

from rules.read.actions import check_url, is_reference
from rules.section import Section

_REFERENCE_HINT = "write env:TOWER_SECRET_NAME, or file:NAME for a file of the secrets folder"
_WAITS = ("group_wait", "group_interval", "repeat_interval")


def read_routes(book: Section) -> dict[str, Any]:
    """Return the routing tree as written, {} without one; its root needs a receiver."""
    section = book.section("routes", "route")
    if section is None:
        return {}
    section.text("receiver", required=True)
    _check_route(section)
    return dict(section.value)


def _check_route(section: Section) -> None:
    section.text("receiver")
    section.when()
    section.texts("group_by")
    for key in _WAITS:
        section.duration(key, least=1)
    section.flag("continue")
    for key in ("mute", "active"):
        section.texts(key)
    for step in section.sections("escalate", "escalation"):
        step.text("receiver", required=True)
        if step.duration("after", least=1) is None and not step.has("after"):
            step.report("after", "after is missing", "write after: 30m")
    for route in section.sections("routes", "route"):
        _check_route(route)


def read_receivers(book: Section) -> dict[str, Any]:
    """Return the receivers as written, by name; each has apprise addresses, a webhook or both."""
    found: dict[str, Any] = {}
    for name, path, value in book.named("receivers"):
        section = Section(book.document, path, value, "receiver")
        if isinstance(value, dict) and not (section.has("apprise") or section.has("webhook")):
            section.report(
                None, "the receiver has no address", "write apprise: env:TOWER_SECRET_NAME or webhook: {...}"
            )
        for reference in section.texts("apprise"):
            if not is_reference(reference):
                section.report(
                    "apprise", "an Apprise address holds secrets and belongs out of the book", _REFERENCE_HINT
                )
        webhook = section.section("webhook", "webhook")
        if webhook is not None:
            check_url(webhook, "url", webhook.text("url", required=True))
            secret = webhook.text("secret", required=True)
            if secret and not is_reference(secret):
                webhook.report(
                    "secret", "this is no reference to a secret, and secrets do not belong in a book", _REFERENCE_HINT
                )
        found[name] = dict(section.value)
    return found
