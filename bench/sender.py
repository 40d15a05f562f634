"""A lean HTTP/1.1 client on asyncio streams, so that the load costs the tower as little of the machine as possible."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.process import TOKEN

_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: {media_type}\r\nContent-Length: {size}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is sent: the door, the type of its bodies, the tail of an answer that took all, the journal behind it, and
    the status of such an answer.
    """

    path: str
    media_type: str
    all_taken: bytes
    journal: str
    taken: int = 200


EVENTS = Kind("/v1/events", "application/x-ndjson", b'"quarantined":0,"rejected":[]}', "events")
SPANS = Kind("/v1/traces", "application/x-protobuf", b"", "traces")


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int, kind: Kind = EVENTS) -> None:
        self._port = port
        self._kind = kind

    async def open(self) -> Connection:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def post(self, body: bytes) -> int:
        """Send one body and return the status of the answer."""
        head = _HEAD.format(path=self._kind.path, media_type=self._kind.media_type, token=TOKEN, size=len(body))
        self._writer.write(head.encode() + body)
        await self._writer.drain()
        answered = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answered[9:12])
        lowered = answered.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 : lowered.find(b"\r\n", at)])
        answer = await self._reader.readexactly(length)
        if status not in (self._kind.taken, 429, 503):
            raise RuntimeError(f"the tower answered {status}: {answer[:300]!r}")
        if status == self._kind.taken and (
            not answer.endswith(self._kind.all_taken) or (answer and not self._kind.all_taken)
        ):
            raise RuntimeError(f"the tower did not accept all: {answer[:300]!r}")
        return status

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


def burst(port: int, bodies: Sequence[bytes], lanes: int, kind: Kind = EVENTS) -> float:
    """Send every body over so many connections as fast as they are acknowledged; returns the seconds it took."""
    return asyncio.run(_burst(port, bodies, lanes, kind))


async def _burst(port: int, bodies: Sequence[bytes], lanes: int, kind: Kind) -> float:
    connections = [await Connection(port, kind).open() for _ in range(lanes)]
    waiting = list(reversed(bodies))

    async def lane(connection: Connection) -> None:
        while waiting:
            body = waiting.pop()
            while await connection.post(body) != kind.taken:
                await asyncio.sleep(0.05)

    began = time.perf_counter()
    await asyncio.gather(*(lane(c) for c in connections))
    seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return seconds


def paced(port: int, bodies: Sequence[bytes], per_s: float, lanes: int) -> list[float]:
    """Send bodies on a fixed timetable and return each one's seconds from its due time to its acknowledgement."""
    return asyncio.run(_paced(port, bodies, per_s, lanes))


async def _paced(port: int, bodies: Sequence[bytes], per_s: float, lanes: int) -> list[float]:
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(lanes):
        idle.put_nowait(await Connection(port).open())
    began = time.perf_counter()

    async def send(number: int, body: bytes) -> float:
        due = began + number / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await idle.get()
        while await connection.post(body) != 200:
            await asyncio.sleep(0.05)
        idle.put_nowait(connection)
        return time.perf_counter() - due

    latencies = await asyncio.gather(*(send(i, body) for i, body in enumerate(bodies)))
    while not idle.empty():
        idle.get_nowait().close()
    return list(latencies)
