"""routes, receivers and inhibit: who hears about what, when, and what is not worth telling."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from rules.match import OF_BREACHES
from rules.model import Cap, Digest, Escalation, Inhibition, Receiver, Route, Webhook
from rules.read.targets import check_url, is_reference
from rules.section import Section

RESOLVED = ("end", "each", "none")
ALONE = "..."  # group_by of a route that tells each breach by itself
REFERENCE_HINT = "write env:TOWER_SECRET_NAME, or file:NAME for a file of the secrets folder"
_DEFAULTS = Route(key="", receiver="")


def read_routes(book: Section) -> Route | None:
    """Return the root of the routing tree, None without one; it needs a receiver and takes every breach."""
    section = book.section("routes", "route")
    if section is None:
        return None
    section.text("receiver", required=True)
    if section.has("when"):
        section.report("when", "the root takes every breach", "put the matcher into a route below it")
    return _route(section, _DEFAULTS)


def _route(section: Section, above: Route) -> Route:
    receiver = section.text("receiver", above.receiver)
    when = section.when("when", OF_BREACHES)
    node = Route(
        key=_key(above.key, section.raw("when"), receiver),
        receiver=receiver,
        when=when,
        group_by=_group_by(section, above.group_by),
        group_wait_s=_seconds(section, "group_wait", above.group_wait_s),
        group_interval_s=_seconds(section, "group_interval", above.group_interval_s, least=1),
        repeat_interval_s=_seconds(section, "repeat_interval", above.repeat_interval_s, least=1),
        at_once=section.texts("at_once") if section.raw("at_once") is not None else above.at_once,
        digest=_digest(section) if section.has("digest") else above.digest,
        flap_hold_s=_seconds(section, "flap_hold", above.flap_hold_s),
        max_age_s=_seconds(section, "max_age", above.max_age_s, least=1),
        escalate=_escalate(section) if section.raw("escalate") is not None else above.escalate,
        continues=section.flag("continue"),
        mute=section.texts("mute"),
        active=section.texts("active"),
    )
    below: list[Route] = []
    for part in section.sections("routes", "route"):
        child = _route(part, node)
        if any(child.key == other.key for other in below):
            part.report(None, "this route says the same as an earlier one", "give it another `when` or receiver")
        below.append(child)
    return replace(node, routes=tuple(below))


def _key(above: str, when: Any, receiver: str) -> str:
    written = json.dumps([above, when, receiver], sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _seconds(section: Section, key: str, default: int, *, least: int = 0) -> int:
    seconds = section.duration(key, least=least)
    return default if seconds is None else seconds


def _group_by(section: Section, above: tuple[str, ...]) -> tuple[str, ...]:
    if section.raw("group_by") is None:
        return above
    names = section.texts("group_by")
    for name in names:
        if name != ALONE and name not in OF_BREACHES.texts:
            section.report(
                "group_by", f"breaches have no {name!r}", f"known are {', '.join(OF_BREACHES.texts)}, or ..."
            )
    if ALONE in names and len(names) > 1:
        section.report("group_by", "... stands alone: it makes each breach a group", "write group_by: [...]")
    return names


def _digest(section: Section) -> Digest | None:
    entry = section.section("digest", "digest")
    if entry is None:
        return None
    cron, zone = entry.text("cron", required=True), entry.text("zone", "UTC")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        entry.report("zone", f"{zone!r} is no time zone", "write an IANA name, for example Europe/Berlin")
        return None
    try:
        next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        if cron:
            entry.report(
                "cron", f"{cron!r} is no cron expression that ever comes", 'write for example "30 7 * * mon-fri"'
            )
        return None
    return Digest(cron, zone)


def _escalate(section: Section) -> tuple[Escalation, ...]:
    steps: list[Escalation] = []
    for step in section.sections("escalate", "escalation"):
        receiver, after = step.text("receiver", required=True), step.duration("after", least=1)
        if after is None and not step.has("after"):
            step.report("after", "after is missing", "write after: 30m")
        if steps and after is not None and after <= steps[-1].after_s:
            step.report("after", "the step comes no later than the one before", "order the steps by time")
        steps.append(Escalation(after or 0, receiver))
    return tuple(steps)


def read_receivers(book: Section) -> dict[str, Receiver]:
    """Return the receivers by name; each has the inbox, apprise addresses, a webhook or several of them."""
    return {
        name: _receiver(name, Section(book.document, path, value, "receiver"))
        for name, path, value in book.named("receivers")
    }


def _receiver(name: str, section: Section) -> Receiver:
    if not (section.flag("inbox") or section.has("apprise") or section.has("webhook")):
        section.report(
            None, "the receiver has no address", "write inbox: true, apprise: env:TOWER_SECRET_NAME or webhook: {...}"
        )
    addresses = section.texts("apprise")
    for reference in addresses:
        if not is_reference(reference):
            section.report("apprise", "an Apprise address holds secrets and belongs out of the book", REFERENCE_HINT)
    webhook = _webhook(section)
    ping = section.duration("ping", least=5)
    if ping is not None and webhook is None:
        section.report("ping", "only a webhook can be pinged", "write webhook: {...}, or drop ping")
    resolved = section.choice("resolved", RESOLVED, "end")
    return Receiver(name, section.flag("inbox"), addresses, webhook, resolved, read_cap(section), ping)


def _webhook(section: Section) -> Webhook | None:
    webhook = section.section("webhook", "webhook")
    if webhook is None:
        return None
    url, secrets = webhook.text("url", required=True), webhook.texts("secret", required=True)
    check_url(webhook, "url", url)
    if any(not is_reference(secret) for secret in secrets):
        webhook.report(
            "secret", "this is no reference to a secret, and secrets do not belong in a book", REFERENCE_HINT
        )
    return Webhook(url, secrets)


def read_cap(section: Section) -> Cap | None:
    """Return the bound on notices under `cap`, None without one."""
    cap = section.section("cap", "cap")
    if cap is None:
        return None
    per = cap.duration("per", least=1)
    if per is None and not cap.has("per"):
        cap.report("per", "per is missing", "write cap: {notices: 20, per: 1h}")
    if not cap.has("notices"):
        cap.report("notices", "notices is missing", "write cap: {notices: 20, per: 1h}")
    return Cap(cap.count("notices", 1, 1, 100_000), per or 1)


def read_inhibitions(book: Section) -> tuple[Inhibition, ...]:
    """Return the inhibitions in the order written; each names what silences and what is silenced."""
    found = []
    for section in book.sections("inhibit", "inhibition"):
        for key in ("source", "target"):
            if not section.has(key):
                section.report(key, f"{key} is missing", "write {source: {...}, target: {...}, equal: [system]}")
        equal = section.texts("equal")
        for name in equal:
            if name not in OF_BREACHES.texts:
                section.report("equal", f"breaches have no {name!r}", f"known are {', '.join(OF_BREACHES.texts)}")
        found.append(Inhibition(section.when("source", OF_BREACHES), section.when("target", OF_BREACHES), equal))
    return tuple(found)
