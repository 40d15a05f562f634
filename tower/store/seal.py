"""Raw bodies sealed at rest: deflated, then AES-256-GCM with the raw id as what they belong to.

A sealed text names the key that made it, so keys can follow each other: the first one seals, all of them open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tower.model.secret import SecretError, Secrets
from tower.settings import Settings

KEY_BYTES = 32
_NAME_BYTES, _NONCE_BYTES = 4, 12
_PLAIN, _DEFLATED = b"\x00", b"\x01"


class SealError(RuntimeError):
    """A sealed text cannot be opened; the message says what is missing."""


class Seal:
    """Seals with the first key and opens with any of them. Thread-safe."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take one or more keys of KEY_BYTES."""
        self._ciphers = {_name(key): AESGCM(key) for key in keys}
        self._first = _name(keys[0])

    def seal(self, raw_id: str, body: bytes) -> str:
        """Return the sealed body as base64."""
        deflated = zlib.compress(body, 1)
        content = _DEFLATED + deflated if len(deflated) < len(body) else _PLAIN + body
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, content, raw_id.encode())
        return base64.b64encode(self._first + nonce + sealed).decode()

    def open(self, raw_id: str, text: str) -> bytes:
        """Return the body. Raises SealError."""
        try:
            blob = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise SealError(f"the body of {raw_id} is damaged") from None
        name, nonce, sealed = blob[:_NAME_BYTES], blob[_NAME_BYTES : _NAME_BYTES + _NONCE_BYTES], blob[16:]
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealError(f"the body of {raw_id} was sealed with another key; add that key to TOWER_RAW_KEY")
        try:
            content = cipher.decrypt(nonce, sealed, raw_id.encode())
        except (InvalidTag, ValueError):
            raise SealError(f"the body of {raw_id} is damaged") from None
        return zlib.decompress(content[1:]) if content[:1] == _DEFLATED else content[1:]


def load_seal(settings: Settings, secrets: Secrets) -> Seal:
    """Return the seal with the keys of `load_keys`. Raises SecretError."""
    return Seal(load_keys(settings, secrets))


def load_keys(settings: Settings, secrets: Secrets) -> list[bytes]:
    """Return the keys that the settings name, else the one of the data folder, made at first use with mode 600.

    Raises SecretError for a reference that leads nowhere or to something that is no key.
    """
    if settings.raw_key:
        references = [r.strip() for r in settings.raw_key.split(",") if r.strip()]
        return [_key(secrets.resolve(r), f"TOWER_RAW_KEY: {r}") for r in references]
    path = settings.data_dir / "raw-key"
    return [_key(_key_file(path), str(path))]


def _key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretError(
            f"{where} is no key; write base64 of {KEY_BYTES} random bytes, as `openssl rand -base64 32` gives"
        )
    return key


def _key_file(path: Path) -> str:
    """Return the text of the key file, made if there is none; whole on the disk before anything is sealed with it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path.read_text()


def _name(key: bytes) -> bytes:
    return hashlib.sha256(b"o2c raw key" + key).digest()[:_NAME_BYTES]
