"""Tokens of OAuth 2.0 client credentials: fetched when needed, kept while they last, never written down.

Source: RFC 6749, sections 4.4 (the grant), 2.3.1 (the client's own proof, by HTTP Basic or in the body), 5.1 and 5.2
(the answers).
"""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec

from rules.model import OAuth2, Target
from tower.model.secret import SecretError, Secrets

_EARLY_S = 30.0  # a token is renewed so long before it ends
_LASTS_S = 300.0  # where the server does not say
_MOST = 16_384


class TokenError(ValueError):
    """There is no token; the message says which server said what, without secrets."""


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    until: float  # by the monotonic clock


class Tokens:
    """The tokens of one sender. Thread-safe."""

    def __init__(self, secrets: Secrets, client: httpx.Client) -> None:
        self._secrets, self._client = secrets, client
        self._kept: dict[tuple[str, OAuth2], _Kept] = {}
        self._lock = threading.Lock()

    def token(self, target: Target, grant: OAuth2) -> str:
        """Return a token that is good for a while. Raises SecretError and TokenError."""
        with self._lock:
            held = self._kept.get((target.name, grant))
            if held is None or held.until <= time.monotonic():
                held = self._kept[target.name, grant] = self._fetch(target, grant)
            return held.token

    def forget(self, target: Target, token: str) -> bool:
        """Drop a token that the target no longer takes; return whether there was one."""
        with self._lock:
            places = [place for place, kept in self._kept.items() if place[0] == target.name and kept.token == token]
            for place in places:
                del self._kept[place]
            return bool(places)

    def _fetch(self, target: Target, grant: OAuth2) -> _Kept:
        host = urlsplit(grant.token_url).hostname
        if host not in (urlsplit(target.url).hostname, *target.hosts):
            raise TokenError(f"{host} is not among the hosts of target {target.name}; no token was asked for")
        user, colon, password = self._secrets.resolve(grant.client).partition(":")
        if not colon:
            raise SecretError(f"{grant.client}: write client_id:client_secret")
        form = {"grant_type": "client_credentials"}
        form |= {k: v for k, v in (("scope", grant.scope), ("audience", grant.audience)) if v}
        headers = {"Accept": "application/json"}
        if grant.method == "client_secret_post":
            form |= {"client_id": user, "client_secret": password}
        else:
            proof = base64.b64encode(f"{quote_plus(user)}:{quote_plus(password)}".encode()).decode()
            headers["Authorization"] = f"Basic {proof}"
        try:
            answer = self._client.post(grant.token_url, data=form, headers=headers, timeout=target.timeout_s)
        except httpx.HTTPError as error:
            raise TokenError(f"no token: no answer from {host}: {type(error).__name__}") from error
        body = _read(answer)
        token, kind = body.get("access_token"), str(body.get("token_type") or "").lower()
        if answer.status_code != 200 or not isinstance(token, str) or not token or kind != "bearer":
            code = body.get("error")
            why = code if isinstance(code, str) and code.isascii() and len(code) <= 60 else "no bearer token in it"
            raise TokenError(f"no token: {host} answered {answer.status_code}: {why}")
        lasts = body.get("expires_in")
        lasts_s = float(lasts) if isinstance(lasts, int | float) and lasts > 0 else _LASTS_S
        return _Kept(token, time.monotonic() + max(lasts_s - _EARLY_S, lasts_s / 2))


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(answer.content[:_MOST])
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}
