"""What a notice to a person's own address has beside its text: where it goes, why it came and how to end it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from tower.alerts.links import CONFIRM as TO_CONFIRM
from tower.alerts.links import END, Link, Links
from tower.alerts.notice import CONFIRM
from tower.alerts.personal import Subscriber

_RECIPIENTS = ("to", "cc", "bcc", "targets")


@dataclass(frozen=True, slots=True)
class Letter:
    """to: address of the person. below: last lines. headers: of a mail."""

    to: str
    below: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def addressed(self, service: str) -> str:
        """Return the Apprise address of a service with this person as the only recipient."""
        parts = urlsplit(service)
        kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.lower() not in _RECIPIENTS]
        kept.append(("to", self.to))
        mail = parts.scheme in ("mailto", "mailtos")
        if mail:
            kept += [(f"+{name}", value) for name, value in self.headers.items()]
        query = "&".join(f"{quote(k, safe='+-_')}={quote(v, safe='')}" for k, v in kept)
        return urlunsplit((parts.scheme, parts.netloc, "/" if mail else parts.path, query, ""))


def why_not(receiver: Subscriber, reason: str, links: Links) -> str:
    """Return why nothing may go to the address of a person, '' where it may."""
    if not links.can:
        return "TOWER_PUBLIC_URL is not set, so the message could hold no link to end it; nothing was sent"
    if reason == CONFIRM:
        return "the address was confirmed already" if receiver.confirmed else ""
    return "" if receiver.confirmed else "the address is not confirmed; nothing was sent"


def letter_of(receiver: Subscriber, reason: str, links: Links, now: datetime) -> Letter:
    """Return what goes with a notice; its links are made now and are kept nowhere."""

    def link(purpose: str) -> str:
        return links.make(Link(purpose, receiver.subscription_id, receiver.address_key), now)

    if reason == CONFIRM:
        yes = link(TO_CONFIRM)
        return Letter(
            receiver.to, f"Yes, send them here: {yes}\nIf you did not ask for it, do nothing: nothing more will come."
        )
    end = link(END)
    headers = {"List-Unsubscribe": f"<{end}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return Letter(receiver.to, f"You subscribed to: {receiver.label}\nEnd it: {end}", headers)
