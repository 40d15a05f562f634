"""Files of events into a running tower, through its public door."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import tenacity

_SUFFIXES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
_BATCH_LINES = 5000
_BATCH_BYTES = 2 << 20
_TRIES = 30
_LONGEST_WAIT_S = 60.0


class LoadError(RuntimeError):
    """A file or the tower cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class LoadRejection:
    """One event that the tower did not take. where is file:line."""

    where: str
    id: str
    code: str
    detail: str


@dataclass(slots=True)
class LoadResult:
    """The summed replies."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: list[LoadRejection] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """Events sent, whatever became of them."""
        return self.accepted + self.duplicate + self.quarantined + len(self.rejected)


class _Busy(Exception):
    """The tower asks to try again later."""

    def __init__(self, problem: str, after_s: float) -> None:
        super().__init__(problem)
        self.after_s = after_s


Progress = Callable[[Path, int], None]


def load_files(
    paths: Sequence[Path],
    base_url: str,
    token: str,
    on_progress: Progress | None = None,
    *,
    client: httpx.Client | None = None,
    sleep: Callable[[float], None] | None = None,
) -> LoadResult:
    """Return what became of each event in files of one CloudEvent a line, .gz or not.

    on_progress is told (file, bytes of it that have been sent), bytes as they lie on the disk. Busy answers (429, 503)
    are repeated after the time they ask for. Raises LoadError.
    """
    for path in paths:
        if not path.name.endswith(_SUFFIXES):
            raise LoadError(
                f"{path}: only files of one CloudEvent a line ({', '.join(_SUFFIXES)}) are loaded as they are; for a "
                "system's own files name its --connection, whose mappings read them"
            )
        if not path.is_file():
            raise LoadError(f"{path}: there is no such file")
    result = LoadResult()
    own = client or httpx.Client(base_url=base_url, timeout=60)
    try:
        for path in paths:
            for numbers, body, position in _batches(path):
                _add(result, _send(own, token, body, sleep), path, numbers)
                if on_progress:
                    on_progress(path, position)
    finally:
        if client is None:
            own.close()
    return result


def _batches(path: Path) -> Iterator[tuple[list[int], bytes, int]]:
    """Yield (line numbers, body, position in the file) of each batch; blank lines are left out."""
    numbers: list[int] = []
    lines: list[bytes] = []
    size = 0
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else nullcontext(file) as source:
        for number, line in enumerate(source, 1):
            text = line.strip()
            if not text:
                continue
            if lines and (len(lines) >= _BATCH_LINES or size + len(text) > _BATCH_BYTES):
                yield numbers, b"\n".join(lines), file.tell()
                numbers, lines, size = [], [], 0
            numbers.append(number)
            lines.append(text)
            size += len(text)
        if lines:
            yield numbers, b"\n".join(lines), file.tell()


def patiently(
    client: httpx.Client, send: Callable[[], httpx.Response], sleep: Callable[[float], None] | None = None
) -> httpx.Response:
    """Return the answer to a request that is repeated while the tower is busy or away. Raises LoadError."""
    options: dict[str, Any] = {"sleep": sleep} if sleep else {}
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((_Busy, httpx.TransportError)),
        wait=_asked_for,
        stop=tenacity.stop_after_attempt(_TRIES),
        reraise=True,
        **options,
    )

    def once() -> httpx.Response:
        answer = send()
        if answer.status_code in (429, 503):
            after = answer.headers.get("retry-after", "")
            raise _Busy(answer.text[:300], float(after) if after.isdecimal() else 1.0)
        return answer

    try:
        return retrying(once)
    except _Busy as error:
        raise LoadError(f"the tower stayed busy: {error}") from error
    except httpx.TransportError as error:
        raise LoadError(f"the tower at {client.base_url} cannot be reached: {error}") from error


def _send(client: httpx.Client, token: str, body: bytes, sleep: Callable[[float], None] | None) -> dict[str, Any]:
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
    answer = patiently(client, lambda: client.post("/v1/events", content=body, headers=headers), sleep)
    if answer.status_code == 400 and answer.json().get("code") == "not_json" and answer.json().get("errors"):
        # Every line of this batch is unusable; the door names each.
        return {"accepted": 0, "duplicate": 0, "quarantined": 0, "rejected": answer.json()["errors"]}
    if answer.status_code != 200:
        raise LoadError(f"the tower refuses the events ({answer.status_code}): {answer.text[:500]}")
    reply: dict[str, Any] = answer.json()
    return reply


def _asked_for(state: tenacity.RetryCallState) -> float:
    """Return the wait that the tower asked for, else one that grows."""
    error = state.outcome.exception() if state.outcome else None
    after = error.after_s if isinstance(error, _Busy) else min(2.0 ** (state.attempt_number - 1) / 4, 15.0)
    return min(after, _LONGEST_WAIT_S)


def _add(result: LoadResult, reply: dict[str, Any], path: Path, numbers: Sequence[int]) -> None:
    result.accepted += reply["accepted"]
    result.duplicate += reply["duplicate"]
    result.quarantined += reply["quarantined"]
    result.rejected += [
        LoadRejection(f"{path}:{numbers[r['index']]}", r["id"], r["code"], r["detail"]) for r in reply["rejected"]
    ]
