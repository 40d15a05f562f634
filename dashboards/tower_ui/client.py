"""The one door to the tower: typed calls over HTTP, and snapshots that many viewers share.

A snapshot is fetched by whoever asks first and handed to everyone else with the same key and question; when the
tower does not answer, the last good data stay and say how old they are.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar, cast

import httpx
import pandas as pd
import pyarrow as pa

from dashboards.tower_ui import fmt

ARROW = "application/vnd.apache.arrow.stream"
TIMEOUT = httpx.Timeout(4.0, connect=1.0)
SLOW = httpx.Timeout(30.0, connect=1.0)
# Reckoned from a whole window, audited by the next tick first, or run while one waits.
SLOW_PATHS = ("/v1/roi", "/v1/subscriptions", "/v1/rules/test")
SLOW_PARAMS = {"as_of", "known_at"}  # the past is judged anew, all of it
SIDE_BY_SIDE = 5
FRESH_S = 2.0  # within this time everyone gets the same snapshot
FULL_S = 60.0  # an unchanged answer leaves ages behind, so once in this time it is fetched whole
FORGET_S = 600.0  # questions nobody asks any more

T = TypeVar("T")
Json = dict[str, Any]


class ApiError(Exception):
    """The tower did not give an answer.

    ApiError
      ├─ Down           no connection, no answer in time, or a fault on its side; asking again may help
      ├─ Refused        the key is unknown, revoked or lacks the role
      ├─ NotFound       there is no such thing
      └─ BadRequest     the question was wrong; asking again will not help
    """


class Down(ApiError):
    """No connection, no answer in time, or a fault on the tower's side."""


class Refused(ApiError):
    """The key is unknown, revoked or lacks the role. `signed_out` tells the first two from the last."""

    def __init__(self, message: str, *, signed_out: bool) -> None:
        super().__init__(message)
        self.signed_out = signed_out


class NotFound(ApiError):
    """There is no such thing."""


class BadRequest(ApiError):
    """The question was wrong; code is the tower's word for how."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person at the screen: the name and roles behind their key, which leaves this process only to the tower."""

    name: str
    roles: frozenset[str]
    key: str = field(repr=False)
    shared: bool = False

    @property
    def may_act(self) -> bool:
        """Whether to offer retries; the tower decides again on each."""
        return bool(self.roles & {"operator", "admin"})

    @property
    def may_approve(self) -> bool:
        """Whether to offer approvals; the tower decides again on each."""
        return bool(self.roles & {"approver", "admin"})


@dataclass(frozen=True, slots=True)
class Board:
    """Orders of one filter, best first as the tower sorted them, with what the filter holds in all."""

    frame: pd.DataFrame
    total: int
    value_total: Decimal | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """The last good answer to a question. `at` is when the tower last confirmed it; `error` why it is not fresh."""

    data: T | None = None
    at: datetime | None = None
    took_ms: int = 0
    error: str = ""
    not_found: bool = False
    revision: int = 0

    def age_s(self, now: datetime) -> float | None:
        """Return how long ago the tower confirmed the data, None if it never did."""
        return None if self.at is None else max(0.0, (now - self.at).total_seconds())


@dataclass(slots=True)
class _Entry:
    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot[Any] = field(default_factory=Snapshot)
    etag: str = ""
    tried: float = float("-inf")
    full: float = float("-inf")
    asked: float = field(default_factory=time.monotonic)


class Api:
    """Calls to one tower. One per process; safe to use from many sessions."""

    def __init__(
        self, base_url: str, transport: httpx.BaseTransport | None = None, *, fresh_s: float = FRESH_S
    ) -> None:
        self.base_url = base_url
        self._fresh_s = fresh_s
        self._http = httpx.Client(
            base_url=base_url, timeout=TIMEOUT, transport=transport, follow_redirects=False, verify=_trusted()
        )
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="tower-api")

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown(cancel_futures=True)
        self._http.close()

    # -- single calls ---------------------------------------------------------------------------------------------

    def whoami(self, key: str) -> Viewer:
        """Return the person behind a key. Raises Refused for an unknown key, Down when there is no tower."""
        body = self._json(self._send(key, "GET", "/v1/me"))
        return Viewer(str(body["name"]), frozenset(map(str, body["roles"])), key)

    def act(self, viewer: Viewer, request: Json, *, click: str, dry_run: bool = False) -> Json:
        """Ask for an action and return the tower's answer per item. `click` makes a repeat of this request harmless."""
        response = self._send(
            viewer.key,
            "POST",
            "/v1/actions",
            params={"dry_run": "true"} if dry_run else None,
            json=request,
            headers={"Idempotency-Key": click},
        )
        return self._json(response)

    def post(self, viewer: Viewer, path: str, body: Json) -> Json:
        """Ask for something to be done and return the tower's answer; an answer without a body is empty."""
        response = self._send(viewer.key, "POST", path, json=body)
        return self._json(response) if response.content else {}

    def change(self, viewer: Viewer, method: str, path: str, body: Json | None = None) -> Json:
        """PUT or DELETE something and return what it is now."""
        return self._json(self._send(viewer.key, method, path, json=body))

    def letter(self, method: str, purpose: str, token: str) -> tuple[int, str]:
        """Return status and page of a link that was sent in a notice; it is its own proof. Raises Down."""
        try:
            response = self._http.request(method, f"/v1/subscriptions/{purpose}", params={"token": token}, timeout=SLOW)
        except httpx.HTTPError as error:
            raise Down(f"The tower cannot be reached ({type(error).__name__}).") from None
        if not response.headers.get("content-type", "").startswith("text/html"):
            raise _problem(response)
        return response.status_code, response.text

    def get(self, viewer: Viewer, path: str, params: Mapping[str, str] | None = None) -> Json:
        """Return a document, fetched now and shared with nobody: for what a person asked to see."""
        return self._json(self._send(viewer.key, "GET", path, params=params))

    def text(self, viewer: Viewer, path: str, params: Mapping[str, str]) -> str:
        """Return a file as text, fetched now."""
        return self._send(viewer.key, "GET", path, params=params).text

    def orders(self, viewer: Viewer, params: Mapping[str, str]) -> Json:
        """Return one page of orders as JSON, fetched now: for a list a person is about to confirm."""
        return self._json(self._send(viewer.key, "GET", "/v1/orders", params=params))

    # -- shared snapshots -----------------------------------------------------------------------------------------

    def board(
        self, viewer: Viewer, params: Mapping[str, str], *, fresh: bool = False, within_s: float = 0.0
    ) -> Snapshot[Board]:
        """Return the orders of a filter with their totals. within_s, fresh: as of json."""
        return self._snapshot(viewer, "/v1/orders", params, ARROW, _read_board, fresh, within_s)

    def json(
        self,
        viewer: Viewer,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        fresh: bool = False,
        within_s: float = 0.0,
    ) -> Snapshot[Json]:
        """Return a JSON document. within_s: how old it may be at least; fresh: ask now."""
        return self._snapshot(viewer, path, params or {}, "application/json", self._json, fresh, within_s)

    def json_at_once(self, viewer: Viewer, questions: Sequence[tuple[str, Mapping[str, str]]]) -> list[Snapshot[Json]]:
        """Return several documents, (path, params) each, asked for side by side."""
        return list(self._pool.map(lambda q: self.json(viewer, *q), questions))

    def _snapshot(
        self,
        viewer: Viewer,
        path: str,
        params: Mapping[str, str],
        accept: str,
        read: Callable[[httpx.Response], T],
        fresh: bool,
        within_s: float = 0.0,
    ) -> Snapshot[T]:
        question = f"{accept} {path}?{sorted(params.items())}"
        entry = self._entry(hashlib.sha256(viewer.key.encode()).hexdigest(), question)
        held: Snapshot[T] = entry.snapshot
        wait_s = self._fresh_s if held.error or held.data is None else max(self._fresh_s, within_s)
        if not fresh and time.monotonic() - entry.tried < wait_s:
            return held
        # Whoever comes second does not queue behind a slow tower while there is something to show.
        if not entry.lock.acquire(blocking=fresh or held.data is None):
            return held
        try:
            if not fresh and time.monotonic() - entry.tried < wait_s:
                return cast("Snapshot[T]", entry.snapshot)
            entry.snapshot = self._fetch(viewer, path, params, accept, read, entry)
            entry.tried = time.monotonic()
            return cast("Snapshot[T]", entry.snapshot)
        finally:
            entry.lock.release()

    def _fetch(
        self,
        viewer: Viewer,
        path: str,
        params: Mapping[str, str],
        accept: str,
        read: Callable[[httpx.Response], T],
        entry: _Entry,
    ) -> Snapshot[T]:
        held: Snapshot[T] = entry.snapshot
        started = time.monotonic()
        headers = {"Accept": accept}
        if entry.etag and held.data is not None and started - entry.full < FULL_S:
            headers["If-None-Match"] = entry.etag
        try:
            response = self._send(viewer.key, "GET", path, params=params, headers=headers)
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return replace(held, at=_now(), took_ms=_ms(started), error="")
            data = read(response)
        except Refused:
            entry.snapshot = Snapshot()  # a key that lost its rights sees nothing more
            raise
        except NotFound as error:
            return Snapshot(error=str(error), not_found=True, revision=held.revision + 1)
        except ApiError as error:
            return replace(held, error=str(error))
        entry.etag, entry.full = response.headers.get("ETag", ""), started
        return Snapshot(data=data, at=_now(), took_ms=_ms(started), revision=held.revision + 1)

    def _entry(self, who: str, question: str) -> _Entry:
        now = time.monotonic()
        with self._guard:
            for old in [k for k, e in self._entries.items() if now - e.asked > FORGET_S]:
                del self._entries[old]
            entry = self._entries.setdefault((who, question), _Entry())
            entry.asked = now
            return entry

    # -- transport ------------------------------------------------------------------------------------------------

    def _send(
        self,
        key: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        all_headers = {"Authorization": f"Bearer {key}", **(headers or {})}
        try:
            response = self._http.request(
                method, path, params=params, json=json, headers=all_headers,
                timeout=_patience(path, params),
            )  # fmt: skip
        except httpx.TimeoutException:
            raise Down(f"The tower at {self.base_url} did not answer in time.") from None
        except httpx.HTTPError as error:
            raise Down(f"The tower at {self.base_url} cannot be reached ({type(error).__name__}).") from None
        if response.status_code < 400:
            return response
        raise _problem(response)

    @staticmethod
    def _json(response: httpx.Response) -> Json:
        try:
            body = response.json()
        except ValueError:
            raise Down("The tower's answer was no JSON.") from None
        if not isinstance(body, dict):
            raise Down("The tower's answer was no JSON object.")
        return body


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom this process trusts; reading all the certificates takes longer than many a request."""
    return httpx.create_ssl_context()


def _patience(path: str, params: Mapping[str, str] | None) -> httpx.Timeout:
    """Return how long to wait: what is judged anew takes longer than what is stored."""
    slow = path.startswith(SLOW_PATHS) or path.endswith("/why") or not SLOW_PARAMS.isdisjoint(params or ())
    return SLOW if slow else TIMEOUT


def _problem(response: httpx.Response) -> ApiError:
    """Return the error for a refusal, in the words of its problem document."""
    try:
        body = response.json()
        detail, code = str(body.get("detail") or body.get("title") or ""), str(body.get("code") or "")
    except (ValueError, AttributeError):
        detail, code = "", ""
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        return Refused(detail or "The tower does not know this key.", signed_out=True)
    if status == httpx.codes.FORBIDDEN:
        return Refused(detail or "This key may not do that.", signed_out=False)
    if status == httpx.codes.NOT_FOUND:
        return NotFound(detail or "The tower does not know it.")
    if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
        return Down(f"The tower answered {status}. {detail}".strip())
    return BadRequest(detail or f"The tower answered {status}.", code=code)


def _read_board(response: httpx.Response) -> Board:
    """Return the board in an Arrow stream; totals travel in the schema's metadata."""
    try:
        with pa.ipc.open_stream(response.content) as reader:
            table = reader.read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise Down(f"The tower's answer was no Arrow stream ({type(error).__name__}).") from None
    meta = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    frame = table.to_pandas(date_as_object=False)
    return Board(
        frame=frame,
        total=int(meta.get("total") or 0),
        value_total=fmt.decimal(meta.get("value_total")),
        as_of=fmt.instant(meta.get("as_of")),
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
