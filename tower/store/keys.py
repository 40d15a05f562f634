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
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tower.model.principal import ROLES, Principal
from tower.model.scope import ScopeError, read_scopes
from tower.settings import Settings
from tower.store.client import Store
from tower.store.sql import load

CACHE_S = 5.0
ADMIN = "admin"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")


class KeyProblem(ValueError):
    """A key cannot be made or found; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """One named key. revoked_at is None while it is good, expires_at None when it never ends by itself.

    created_at is that of the present token; the one before the last rotation works until old_until.
    """

    name: str
    token_hash: str
    roles: tuple[str, ...]
    connections: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    revision: int
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    old_hash: str = ""
    old_until: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Return whether the key still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_COLUMNS = [f.name for f in fields(Key)]
_All = list[Key]
_Live = list[tuple[bytes, datetime | None, Principal]]  # hash, until when it is good, whose


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
        now = self._clock()
        for known, until, principal in self._live():
            if hmac.compare_digest(known, digest) and (until is None or now < until):
                found = principal
        return found

    def add(
        self,
        name: str,
        roles: Iterable[str],
        connections: Iterable[str] = (),
        scopes: Iterable[str] = (),
        expires_at: datetime | None = None,
    ) -> str:
        """Make a key and return its token, which cannot be read again. Raises KeyProblem for a name in use."""
        token = _new_token()
        self._put(name, token, tuple(roles), tuple(connections), tuple(scopes), expires_at, replace_live=False)
        return token

    def rotate(self, name: str, overlap: timedelta, expires_at: datetime | None = None) -> str:
        """Give a key another token and return it; the one before works for `overlap` longer, never past its own end.

        Without expires_at the new token lives as long as the one before was made for. Raises KeyProblem.
        """
        with self._store.writer():
            key = self._unrevoked(name)
            now, token = self._clock(), _new_token()
            if expires_at is not None and expires_at <= now:
                raise KeyProblem("the key would have ended already; give an end in the future")
            if expires_at is None and key.expires_at is not None:
                expires_at = now + (key.expires_at - key.created_at)
            ends = [now + overlap, *([key.expires_at] if key.expires_at else [])]
            self._write(
                replace(
                    key, token_hash=_digest(token), created_at=now, expires_at=expires_at, old_hash=key.token_hash,
                    old_until=min(ends), revision=key.revision + 1,
                )
            )  # fmt: skip
        return token

    def list(self) -> _All:
        """Return every key ever made, by name, revoked ones included."""
        with self._store.reader() as client:
            rows = client.query(load("key_list")).result_rows
        keys = (Key(**dict(zip(_COLUMNS, row, strict=True))) for row in rows)
        return [
            replace(k, roles=tuple(k.roles), connections=tuple(k.connections), scopes=tuple(k.scopes)) for k in keys
        ]

    def owners(self) -> tuple[dict[str, Principal], datetime | None]:
        """Return who each live key speaks for, by name, and when the next of them ends by itself."""
        now = self._clock()
        live = [k for k in self.list() if k.live(now)]
        ends = min((k.expires_at for k in live if k.expires_at), default=None)
        return {k.name: _principal(k) for k in live}, ends

    def revoke(self, name: str) -> None:
        """End a key at once. Raises KeyProblem if there is no live key of that name."""
        with self._store.writer():
            key = self._unrevoked(name)
            self._write(replace(key, revoked_at=self._clock(), revision=key.revision + 1))

    def ensure_admin(self, settings: Settings) -> Path | None:
        """See to it that an administrator exists; return the file that holds the token, None when it is not ours.

        TOWER_ADMIN_TOKEN wins and is put in force at every start. Otherwise, and only while no live administrator
        exists, a token is made once and kept in data_dir/admin-token with mode 600.
        """
        if settings.admin_token:
            self._put(ADMIN, settings.admin_token, (ADMIN,), ("*",), replace_live=True)
            return None
        path = settings.data_dir / "admin-token"
        with self._store.writer():
            now = self._clock()
            if not any(ADMIN in k.roles and k.live(now) for k in self.list()):
                self._put(ADMIN, _token_file(path), (ADMIN,), ("*",), replace_live=True)
        return path if path.exists() else None

    def _unrevoked(self, name: str) -> Key:
        key = next((k for k in self.list() if k.name == name and k.revoked_at is None), None)
        if key is None:
            raise KeyProblem(f"there is no live key named {name!r}; `tower keys list` shows them")
        return key

    def _put(
        self,
        name: str,
        token: str,
        roles: tuple[str, ...],
        connections: tuple[str, ...],
        scopes: tuple[str, ...] = (),
        expires_at: datetime | None = None,
        *,
        replace_live: bool,
    ) -> None:
        now = self._clock()
        if not _NAME.match(name):
            raise KeyProblem(f"{name!r} is no key name: letters, digits and . _ @ -, at most 64")
        if not roles or set(roles) - set(ROLES):
            raise KeyProblem(f"roles are some of {', '.join(ROLES)}, not {', '.join(roles) or 'none'}")
        try:
            read_scopes(scopes)
        except ScopeError as error:
            raise KeyProblem(str(error)) from error
        if scopes and ADMIN in roles:
            raise KeyProblem("an administrator sees everything; give the scope to a key of another role")
        if expires_at is not None and expires_at <= now:
            raise KeyProblem("the key would have ended already; give an end in the future")
        with self._store.writer():
            old = next((k for k in self.list() if k.name == name), None)
            lives = old is not None and old.live(now)
            if lives and not replace_live:
                raise KeyProblem(f"a key named {name!r} exists; revoke it first or choose another name")
            digest = _digest(token)
            if lives and old is not None and old.token_hash == digest and old.roles == roles:
                return
            revision = old.revision + 1 if old else 1
            self._write(Key(name, digest, roles, connections, now, None, revision, scopes, expires_at))

    def _write(self, key: Key) -> None:
        row = [getattr(key, name) for name in _COLUMNS]
        with self._store.writer() as client:
            client.insert("keys", [row], column_names=_COLUMNS)
            _Changes.count += 1

    def _live(self) -> _Live:
        with self._lock:
            changes = _Changes.count
            if time.monotonic() >= self._until or changes != self._seen:
                self._known = [
                    (digest.encode(), until, _principal(k))
                    for k in self.list()
                    if k.revoked_at is None
                    for digest, until in ((k.token_hash, k.expires_at), (k.old_hash, k.old_until))
                    if digest
                ]
                self._until, self._seen = time.monotonic() + CACHE_S, changes
            return self._known


def _principal(key: Key) -> Principal:
    return Principal(key.name, frozenset(key.roles), frozenset(key.connections), frozenset(key.scopes))


def _new_token() -> str:
    return "o2c_" + secrets.token_urlsafe(32)


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
    token = _new_token()
    with os.fdopen(handle, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
    return token
