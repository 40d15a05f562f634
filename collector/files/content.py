"""The bytes of a claimed file, within a limit."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

_CHUNK = 1 << 20


class TooLarge(Exception):
    """A file that is larger than the tower takes, as it lies there or unpacked."""


class Unreadable(Exception):
    """A file that is no gzip although its name says so."""


def read_content(path: Path, limit: int) -> bytes:
    """Return what a file holds, unpacked if its name ends in .gz. Raises OSError, TooLarge, Unreadable."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_size > limit:
            raise TooLarge
        body = file.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    return _unpacked(body, limit) if path.name.endswith(".gz") else body


def _unpacked(body: bytes, limit: int) -> bytes:
    """Return the content of a gzip file, which may have several members."""
    out = bytearray()
    stream = zlib.decompressobj(31)
    try:
        while body:
            out += stream.decompress(body, limit + 1 - len(out))
            if len(out) > limit:
                raise TooLarge
            if stream.eof:
                body, stream = stream.unused_data.lstrip(b"\0"), zlib.decompressobj(31)
            elif stream.unconsumed_tail:
                body = stream.unconsumed_tail
            else:
                raise Unreadable("the gzip file ends too early")
    except zlib.error as error:
        raise Unreadable(f"this is no gzip file: {error}") from None
    return bytes(out)
