"""People: mail, chat, pagers and SMS through Apprise. Addresses are secrets and appear in no row and no log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from tower.alerts.body import text_of
from tower.alerts.delivery import Outcome
from tower.alerts.letter import Letter
from tower.model.secret import SecretError, Secrets

_TIMEOUTS = "cto=5&rto=10"


def send_to_people(references: Sequence[str], body: str, secrets: Secrets, letter: Letter | None = None) -> Outcome:
    """Send to every address of a receiver; sent when all took it. Blocks up to Apprise's own timeouts.

    letter: the person that the service behind the address is to write to, and what is said below.
    """
    from apprise import Apprise, AppriseAsset, NotifyType  # heavy: loaded when somebody is to be told

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages quote addresses
    service = Apprise(asset=AppriseAsset(app_id="O2C Control Tower", async_mode=False, plugin_paths=[]))
    try:
        addresses = [a for ref in references for a in secrets.resolve(ref).split()]
    except SecretError as error:
        return Outcome("unknown", str(error))
    for address in addresses:
        address = letter.addressed(address) if letter else address
        if not service.add(address + ("&" if "?" in address else "?") + _TIMEOUTS):
            return Outcome("unknown", "an address is none that Apprise knows; see docs/alerts.md")
    told: dict[str, Any] = msgspec.json.decode(body)
    data = told["data"]
    urgent = data["priority"] == "P1" and not told["type"].endswith("resolved")
    kind = NotifyType.FAILURE if urgent else NotifyType.WARNING
    if told["type"] == "alert.resolved":
        kind = NotifyType.SUCCESS
    try:
        text = text_of(told) or data["title"]
        text = f"{text}\n\n{letter.below}" if letter else text
        taken = service.notify(title=data["title"], body=text, notify_type=kind)
    except Exception as error:  # noqa: BLE001 - a hundred services of others: whatever one does, it is tried again
        return Outcome("unknown", f"Apprise broke with {type(error).__name__}")
    if taken:
        return Outcome("sent", f"{len(addresses)} addresses")
    return Outcome("unknown", "an address did not take it")
