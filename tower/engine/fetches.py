"""Addresses that a handshake wants called: the audit row first, then one GET, never along a redirect.

The claimed row is written before the call, so a kill repeats the same call, which a confirmation bears.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
import structlog

from tower.model.sns_address import is_sns
from tower.model.trust import trust
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.fetches import Fetch, open_fetches, write_fetch

ATTEMPTS = 6
_FIRST_S = 10
_TIMEOUT_S = 10.0
log = structlog.get_logger("tower.fetches")


class Fetches:
    """Carries out the fetches of one store. Only the engine owns one; `step` is called by one thread."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """wake is called from a worker thread when an answer has arrived; transport is for tests."""
        self._store, self._clock, self._wake = store, clock, wake
        self._audit = Audit(store)
        self._client = httpx.Client(
            follow_redirects=False, trust_env=False, timeout=_TIMEOUT_S, transport=transport, verify=trust()
        )
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fetch")
        self._under_way: dict[str, tuple[Fetch, Future[tuple[int, str]]]] = {}

    def step(self, now: datetime) -> int:
        """Write down what was answered, call what is due; return how many fetches moved."""
        moved = 0
        for fetch, future in [pair for pair in self._under_way.values() if pair[1].done()]:
            del self._under_way[fetch.fetch_id]
            self._finish(fetch, *future.result(), now)
            moved += 1
        for fetch in open_fetches(self._store, now):
            if fetch.fetch_id not in self._under_way:
                self._begin(fetch, now)
                moved += 1
        return moved

    def close(self) -> None:
        """Let a call that is under way end; its answer is asked for again at the next start."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _begin(self, fetch: Fetch, now: datetime) -> None:
        attempts = fetch.attempts + 1
        if not is_sns(fetch.url):  # the door checks it, too; what lies between is a table that others could write
            self._record("refused", fetch, attempts, {"why": "the address is not Amazon SNS's own; it was not called"})
            write_fetch(self._store, fetch.moved(now, state="failed", detail="the address is not Amazon SNS's own"))
            return
        self._record("confirm_subscription", fetch, attempts, {})
        wait = timedelta(seconds=_FIRST_S * 2 ** (attempts - 1))
        claimed = fetch.moved(now, attempts=attempts, next_at=now + wait)
        write_fetch(self._store, claimed)
        future = self._pool.submit(self._call, claimed.url)
        self._under_way[fetch.fetch_id] = (claimed, future)
        future.add_done_callback(lambda _: self._wake())

    def _call(self, url: str) -> tuple[int, str]:
        try:
            answer = self._client.get(url)
        except httpx.HTTPError as error:
            return 0, f"no answer: {type(error).__name__}"
        return answer.status_code, f"{answer.status_code} {answer.reason_phrase}"

    def _finish(self, fetch: Fetch, status: int, detail: str, now: datetime) -> None:
        if 200 <= status < 300:
            state = "done"
        else:
            final = 300 <= status < 500 and status not in (408, 425, 429)
            state = "failed" if final or fetch.attempts >= ATTEMPTS else "asked"
        if state != "asked":
            self._record(state, fetch, fetch.attempts, {"status": status, "said": detail})
        log.info("fetched", fetch_id=fetch.fetch_id, connection=fetch.connection, status=status, state=state)
        write_fetch(self._store, fetch.moved(now, state=state, status=status, detail=detail))

    def _record(self, act: str, fetch: Fetch, attempt: int, further: dict[str, object]) -> None:
        """Audit one step, synced on return. What follows the path of the address is a token and stays out."""
        parts = urlsplit(fetch.url)
        detail = {"connection": fetch.connection, "address": f"{parts.scheme}://{parts.netloc}{parts.path}", **further}
        self._audit.append([Entry("engine", act, f"fetch/{fetch.fetch_id}#{attempt}", detail=detail)], self._clock())
