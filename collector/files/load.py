"""Files of a system's own format into a running tower, through the door for files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from collector.load import LoadError, Progress, patiently

_CHUNK = 256 << 10


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one file. outcome as table `raw` says; reasons: (reason, detail) of what is in quarantine."""

    path: Path
    raw_id: str
    duplicate: bool
    outcome: str
    events: int
    quarantined: int
    unchanged: int
    reasons: tuple[tuple[str, str], ...]


def load_native(
    paths: Sequence[Path],
    connection: str,
    client: httpx.Client,
    on_progress: Progress | None = None,
    sleep: Callable[[float], None] | None = None,
) -> Iterator[Loaded]:
    """Yield what became of each file, one after the other. client shows a key that may send for the connection.

    on_progress is told (file, bytes of it that have been sent). Raises LoadError.
    """
    for path in paths:
        if not path.is_file():
            raise LoadError(f"{path}: there is no such file")
    for path in paths:
        yield _one(path, f"/v1/files/{connection}", client, on_progress, sleep)


def _one(
    path: Path,
    address: str,
    client: httpx.Client,
    on_progress: Progress | None,
    sleep: Callable[[float], None] | None,
) -> Loaded:
    sent = _checked(path, patiently(client, partial(_upload, client, address, path, on_progress), sleep))
    ask = partial(client.get, f"{address}/{sent['raw_id']}")
    found: dict[str, Any] = {"outcome": "pending"}
    while found["outcome"] == "pending":  # each answer takes its time
        found = _checked(path, patiently(client, ask, sleep))
    return Loaded(
        path,
        sent["raw_id"],
        bool(sent.get("duplicate")),
        found["outcome"],
        found["events"],
        found["quarantined"],
        found["unchanged"],
        tuple((each["reason"], each["detail"]) for each in found["reasons"]),
    )


def _upload(client: httpx.Client, address: str, path: Path, on_progress: Progress | None) -> httpx.Response:
    headers = {"Content-Length": str(path.stat().st_size)}
    if path.name.endswith(".gz"):
        headers["Content-Encoding"] = "gzip"

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
                if on_progress:
                    on_progress(path, file.tell())

    return client.post(address, params={"name": path.name}, content=chunks(), headers=headers)


def _checked(path: Path, answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code not in (200, 202):
        try:
            why = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            why = answer.text[:500]
        raise LoadError(f"{path}: the tower refuses it ({answer.status_code}): {why}")
    found: dict[str, Any] = answer.json()
    return found
