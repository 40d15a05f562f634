"""subscriptions: how people may subscribe by themselves, and what is offered to them ready-made."""

from __future__ import annotations

from decimal import Decimal

from rules.errors import closest
from rules.match import OF_BREACHES
from rules.model import Subscriptions, Template
from rules.read.routes import REFERENCE_HINT, read_cap
from rules.read.targets import is_reference
from rules.section import Section
from rules.vocabulary import DELIVERIES, STATE_KINDS, WAYS

_DEFAULTS = Subscriptions()


def read_subscriptions(book: Section) -> Subscriptions:
    """Return what is allowed; a book that says nothing allows the inbox alone."""
    section = book.section("subscriptions", "subscriptions")
    if section is None:
        return _DEFAULTS
    allow = section.texts("allow") if section.raw("allow") is not None else _DEFAULTS.allow
    for kind in allow:
        if kind not in WAYS:
            section.report("allow", f"{kind!r} is no way to people", closest(kind, WAYS))
    through = _through(section)
    for kind in allow:
        if kind in WAYS and kind != "inbox" and kind not in through:
            section.report(
                "allow", f"{kind} has no service that carries it", f"write through: {{{kind}: env:TOWER_SECRET_NAME}}"
            )
    domains = section.texts("domains")
    for domain in domains:
        if "@" in domain or "." not in domain:
            section.report("domains", f"{domain!r} is no mail domain", "write domains: [example.com]")
    return Subscriptions(
        allow,
        through,
        tuple(domain.lower() for domain in domains),
        read_cap(section) or _DEFAULTS.cap,
        tuple(_template(part) for part in section.sections("templates", "template")),
    )


def _through(section: Section) -> dict[str, str]:
    part = section.section("through", "through")
    if part is None:
        return {}
    found = {kind: part.text(kind) for kind in WAYS if kind != "inbox" and part.has(kind)}
    for kind, reference in found.items():
        if not is_reference(reference):
            part.report(kind, "this is no reference to a secret, and secrets do not belong in a book", REFERENCE_HINT)
    return found


def _template(section: Section) -> Template:
    name = section.identifier("name")
    section.when("when", OF_BREACHES)
    when = section.raw("when")
    above: Decimal | None = section.number("above")
    currency = section.text("currency")
    if currency and above is None:
        section.report("currency", "a currency belongs to an amount", 'write above: "100000" beside it')
    states = section.texts("states")
    for state in states:
        if state not in STATE_KINDS:
            section.report("states", f"nobody is told of the state {state!r}", closest(state, tuple(STATE_KINDS)))
    if not when and above is None and not states:
        section.report(None, "the template names nothing to hear of", "write when, above or states")
    return Template(
        name,
        section.text("label", name),
        when if isinstance(when, dict) else {},
        above,
        currency,
        states,
        section.choice("deliver", DELIVERIES, "at_once"),
    )
