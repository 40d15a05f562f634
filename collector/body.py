"""A request body within its limit, decompressed while it arrives, so that a bomb is refused before it has grown."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

from tower.model.problem import Problem

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # in Python since 3.14
except ImportError:
    try:
        from backports import zstd  # type: ignore[no-redef,unused-ignore]  # comes with clickhouse-connect before that
    except ImportError:
        zstd = None

ENCODINGS = ("gzip", "deflate", *(("zstd",) if zstd is not None else ()))


class _Inflater(Protocol):
    def feed(self, chunk: bytes, limit: int) -> bytes:
        """Return at most limit + 1 bytes more."""

    def whole(self) -> bool:
        """Return whether the stream ended where its format says it ends."""


class _Zlib:
    """gzip (any number of members) or deflate (with or without zlib's header)."""

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding == "gzip"
        self._bits: int | None = 31 if self._gzip else None
        self._stream = zlib.decompressobj(31) if self._gzip else None

    def feed(self, chunk: bytes, limit: int) -> bytes:
        out = bytearray()
        while chunk and len(out) <= limit:
            if self._stream is None:
                bits = 31 if self._gzip else (15 if chunk[0] & 0x0F == 8 else -15)
                self._stream = zlib.decompressobj(bits)
            out += self._stream.decompress(chunk, limit + 1 - len(out))
            if not self._stream.eof:
                chunk = self._stream.unconsumed_tail
                continue
            chunk = self._stream.unused_data
            if chunk and not self._gzip:
                raise zlib.error("bytes after the end")
            if chunk:
                self._stream = None
        return bytes(out)

    def whole(self) -> bool:
        return self._stream is None or self._stream.eof


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstd.ZstdDecompressor()

    def feed(self, chunk: bytes, limit: int) -> bytes:
        out = bytearray()
        while len(out) <= limit:
            if self._stream.eof:
                chunk = self._stream.unused_data or chunk
                if not chunk:
                    break
                self._stream = zstd.ZstdDecompressor()
            out += self._stream.decompress(chunk, limit + 1 - len(out))
            chunk = b""
            if self._stream.needs_input:
                break
        return bytes(out)

    def whole(self) -> bool:
        return bool(self._stream.eof)


async def read_body(chunks: AsyncIterator[bytes], encoding: str, length: str, limit: int) -> bytes:
    """Return the decompressed body.

    Raises Problem: 413 over the limit before or after decompression, 415 for an unknown Content-Encoding, 400 for
    bytes that do not decompress.
    """
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    inflater = _inflater(encoding)
    out = bytearray()
    arrived = 0
    async for chunk in chunks:
        arrived += len(chunk)
        if arrived > limit:
            raise _too_large(limit)
        if inflater is None:
            out += chunk
        elif chunk:
            try:
                out += inflater.feed(chunk, limit - len(out))
            except _BROKEN as error:
                raise Problem(400, "invalid_encoding", f"the body is no {encoding}: {error}") from None
            if len(out) > limit:
                raise _too_large(limit)
    if inflater is not None and arrived and not inflater.whole():
        raise Problem(400, "invalid_encoding", f"the {encoding} body ends too early")
    return bytes(out)


_BROKEN: tuple[type[Exception], ...] = (zlib.error,) if zstd is None else (zlib.error, zstd.ZstdError)


def _inflater(encoding: str) -> _Inflater | None:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib("deflate" if name == "deflate" else "gzip")
    if name == "zstd" and zstd is not None:
        return _Zstd()
    raise Problem(
        415,
        "unsupported_encoding",
        f"Content-Encoding is {encoding!r}; send {', '.join(ENCODINGS)} or none",
        headers={"Accept-Encoding": ", ".join(ENCODINGS)},
    )


def _too_large(limit: int) -> Problem:
    return Problem(
        413, "too_large", f"the body is larger than {limit >> 20} MiB, compressed or not; send smaller batches"
    )
