"""A dead tower is heard: receivers are pinged while it ticks, and a watchdog tells when it stands still.

Pings stop with the process, the machine or the network; whoever gets them alarms then. The watchdog is a thread of its
own and needs no store, since what it tells of may be the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from rules.model import Receiver, Route
from tower.alerts.people import send_to_people
from tower.alerts.webhook import Webhooks
from tower.model.secret import Secrets
from tower.store.audit import Entry

_EVERY_S = 5.0
log = structlog.get_logger("tower.alerts")


class Pings:
    """Tells webhooks of receivers with `ping` that the tower ticks."""

    def __init__(self, secrets: Secrets) -> None:
        self._webhooks = Webhooks(secrets)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ping")
        self._last: dict[str, datetime] = {}

    def step(self, receivers: Mapping[str, Receiver], now: datetime) -> int:
        """Ping whoever is due; return how many. A ping that fails is not repeated: that is what it is for."""
        due = 0
        for name, receiver in receivers.items():
            if receiver.ping_s is None or receiver.webhook is None:
                continue
            last = self._last.get(name)
            if last is None or now - last >= timedelta(seconds=receiver.ping_s):
                self._last[name] = now
                body = message("tower.alive", now, {"every_s": receiver.ping_s})
                self._pool.submit(self._webhooks.send, receiver.webhook, f"alive-{_stamp(now)}", body, now)
                due += 1
        return due

    def close(self) -> None:
        """Stop pinging."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._webhooks.close()


class Watchdog:
    """Tells the receiver of the root route when the engine stands still, and when it ticks again."""

    def __init__(
        self, secrets: Secrets, plan: Callable[[], tuple[Route | None, Mapping[str, Receiver]]],
        well: Callable[[datetime], tuple[bool, str]], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """well: whether the engine ticks, and in words."""
        self._secrets, self._plan, self._well, self._clock = secrets, plan, well, clock
        self._webhooks = Webhooks(secrets)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._still_since: datetime | None = None
        self._entries: list[Entry] = []

    def start(self) -> None:
        """Begin to watch."""
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=1)
        self._webhooks.close()

    def check(self, now: datetime) -> str:
        """Look once and tell of a change; return what was told: tower.stands_still, tower.ticks_again or ''."""
        well, detail = self._well(now)
        if well == (self._still_since is None):
            return ""
        kind = "tower.ticks_again" if well else "tower.stands_still"
        since = now if self._still_since is None else self._still_since
        self._still_since = None if well else now
        self._tell(kind, detail, since, now)
        return kind

    def told(self) -> list[Entry]:
        """Return, once, what was told meanwhile: the engine writes it into the audit when it ticks again."""
        taken, self._entries = self._entries, []
        return taken

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                self.check(self._clock())
            except Exception as error:  # noqa: BLE001 - the watchdog outlives whatever it meets
                log.error("watchdog", error=f"{type(error).__name__}: {error}"[:300])

    def _tell(self, kind: str, detail: str, since: datetime, now: datetime) -> None:
        root, receivers = self._plan()
        receiver = receivers.get(root.receiver) if root is not None else None
        log.error(kind, detail=detail)
        if receiver is None:
            return
        title = f"The tower {'ticks again' if kind == 'tower.ticks_again' else 'stands still'}: {detail}"
        body = message(kind, now, {"title": title, "since": _text(since), "detail": detail})
        message_id = f"{kind.partition('.')[2]}-{_stamp(since)}"
        self._entries.append(Entry("watchdog", "notice", f"{message_id}/{receiver.name}", why=detail))
        if receiver.webhook is not None:
            self._webhooks.send(receiver.webhook, message_id, body, now)
        if receiver.apprise:
            send_to_people(receiver.apprise, body, self._secrets)


def message(kind: str, now: datetime, data: Mapping[str, object]) -> str:
    """Return a message about the tower itself, in the shape of notices."""
    whole = {
        "priority": "",
        "breaches": [],
        "ended": [],
        "told": 0,
        "ended_breaches": 0,
        "link": None,
        "title": "",
        **data,
    }
    return msgspec.json.encode({"type": kind, "timestamp": _text(now), "data": whole}).decode()


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
