"""Who may call: named bearer keys in the store, of which only the hash is kept.

Doors and API ask `Keys.authenticate`; the answer comes from a short-lived copy in memory, thrown away on every
change made in the same process. A key revoked by another process stops working within CACHE_S seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tower.model.principal import ROLES, Principal
from tower.settings import Settings
from tower.store.client import Store
from tower.store.sql import load

CACHE_S = 5.0
ADMIN = "admin"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")
_COLUMNS = ["name", "token_hash", "roles", "connections", "created_at", "revoked_at", "revision"]


class KeyProblem(ValueError):
    """A key cannot be made or found; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """One named key. revoked_at is None while it is good."""

    name: str
    token_hash: str
    roles: tuple[str, ...]
    connections: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    revision: int


_All = list[Key]
_Live = list[tuple[bytes, Principal]]


class _Changes:
    """Counts key changes made anywhere in this process, so that every copy in memory knows it is old."""

    count = 0


class Keys:
    """The keys of one store. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: _Live = []
        self._until = 0.0
        self._seen = -1

    def authenticate(self, header: str | None) -> Principal | None:
        """Return who an Authorization header speaks for, None when it names nobody.

        The hash is compared with every live key in constant time, so timing tells nothing about any of them.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        digest = _digest(token.strip()).encode()
        found: Principal | None = None
        for known, principal in self._live():
            if hmac.compare_digest(known, digest):
                found = principal
        return found

    def add(self, name: str, roles: Iterable[str], connections: Iterable[str] = ()) -> str:
        """Make a key and return its token, which cannot be read again. Raises KeyProblem for a name in use."""
        token = "o2c_" + secrets.token_urlsafe(32)
        self._put(name, token, tuple(roles), tuple(connections), replace=False)
        return token

    def list(self) -> _All:
        """Return every key ever made, by name, revoked ones included."""
        with self._store.reader() as client:
            rows = client.query(load("key_list")).result_rows
        return [Key(r[0], r[1], tuple(r[2]), tuple(r[3]), *r[4:]) for r in rows]

    def revoke(self, name: str) -> None:
        """End a key at once. Raises KeyProblem if there is no live key of that name."""
        with self._store.writer():
            key = next((k for k in self.list() if k.name == name and k.revoked_at is None), None)
            if key is None:
                raise KeyProblem(f"there is no live key named {name!r}; `tower keys list` shows them")
            self._write(
                Key(name, key.token_hash, key.roles, key.connections, key.created_at, self._clock(), key.revision + 1)
            )

    def ensure_admin(self, settings: Settings) -> Path | None:
        """See to it that an administrator exists; return the file that holds the token, None when it is not ours.

        TOWER_ADMIN_TOKEN wins and is put in force at every start. Otherwise, and only while no live administrator
        exists, a token is made once and kept in data_dir/admin-token with mode 600.
        """
        if settings.admin_token:
            self._put(ADMIN, settings.admin_token, (ADMIN,), ("*",), replace=True)
            return None
        path = settings.data_dir / "admin-token"
        with self._store.writer():
            if not any(ADMIN in k.roles and k.revoked_at is None for k in self.list()):
                self._put(ADMIN, _token_file(path), (ADMIN,), ("*",), replace=True)
        return path if path.exists() else None

    def _put(
        self, name: str, token: str, roles: tuple[str, ...], connections: tuple[str, ...], *, replace: bool
    ) -> None:
        if not _NAME.match(name):
            raise KeyProblem(f"{name!r} is no key name: letters, digits and . _ @ -, at most 64")
        if not roles or set(roles) - set(ROLES):
            raise KeyProblem(f"roles are some of {', '.join(ROLES)}, not {', '.join(roles) or 'none'}")
        with self._store.writer():
            old = next((k for k in self.list() if k.name == name), None)
            if old is not None and old.revoked_at is None and not replace:
                raise KeyProblem(f"a key named {name!r} exists; revoke it first or choose another name")
            digest = _digest(token)
            if old is not None and old.revoked_at is None and old.token_hash == digest and old.roles == roles:
                return
            revision = old.revision + 1 if old else 1
            self._write(Key(name, digest, roles, connections, self._clock(), None, revision))

    def _write(self, key: Key) -> None:
        row = [
            key.name,
            key.token_hash,
            list(key.roles),
            list(key.connections),
            key.created_at,
            key.revoked_at,
            key.revision,
        ]
        with self._store.writer() as client:
            client.insert("keys", [row], column_names=_COLUMNS)
            _Changes.count += 1

    def _live(self) -> _Live:
        with self._lock:
            changes = _Changes.count
            if time.monotonic() >= self._until or changes != self._seen:
                self._known = [
                    (k.token_hash.encode(), Principal(k.name, frozenset(k.roles), frozenset(k.connections)))
                    for k in self.list()
                    if k.revoked_at is None
                ]
                self._until, self._seen = time.monotonic() + CACHE_S, changes
            return self._known


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token_file(path: Path) -> str:
    """Return the token in the file, made with mode 600 if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = path.read_text().strip()
        if token:
            return token
        path.chmod(0o600)
        handle = os.open(path, os.O_WRONLY | os.O_TRUNC)
    token = "o2c_" + secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token
