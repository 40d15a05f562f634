"""One native message as its journal line, which has the columns of table `raw`."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b, sha256

import msgspec
from msgspec import Struct

from tower.store.seal import Seal


class RawMessage(Struct, frozen=True, omit_defaults=True):
    """What arrived. `body` is sealed; `size` and `sha256` are of the body as it arrived, decompressed."""

    raw_id: str
    connection: str
    received_at: datetime
    method: str
    headers: dict[str, str]
    query: dict[str, str]
    size: int
    sha256: str
    event_id: str
    topic: str
    scheme: str
    body: str

    def line(self) -> bytes:
        """Return the journal line."""
        return _encode(self) + b"\n"

    def opened(self, seal: Seal) -> bytes:
        """Return the body as it arrived. Raises SealError."""
        return seal.open(self.raw_id, self.body)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RawMessage).decode


def read_line(line: bytes) -> RawMessage:
    """Return the message of a journal line."""
    return _decode(line)


def digest_of(body: bytes) -> str:
    """Return the hexadecimal SHA-256 of a body."""
    return sha256(body).hexdigest()


def raw_id_of(connection: str, digest: str, received_at: datetime) -> str:
    """Return a message's id: 12 hexadecimal digits of the instant in milliseconds, then 20 of what it is."""
    parts = f"{connection}\0{digest}".encode()
    return f"{int(received_at.timestamp() * 1000):012x}{blake2b(parts, digest_size=10).hexdigest()}"
