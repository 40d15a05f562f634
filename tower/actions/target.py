"""One send to one target: only to its own host, never along a redirect, with secrets that nobody else sees."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from rules.model import Target
from tower.actions.answer import Answer
from tower.actions.oauth import TokenError, Tokens
from tower.actions.template import HIDDEN, TemplateError, header_value
from tower.model.secret import SecretError, Secrets, is_reference
from tower.model.trust import trust

log = structlog.get_logger("tower.actions")
_SNIPPET = 300
_NOT_NOW = frozenset({408, 425, 429})


class Sender:
    """Sends requests to targets. Thread-safe; close it when done."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._client = httpx.Client(
            follow_redirects=False, trust_env=False, verify=trust(), limits=httpx.Limits(max_connections=16)
        )
        self._tokens = Tokens(secrets, self._client)

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    def send(self, target: Target, request: Mapping[str, Any], *, again: bool = False) -> Answer:
        """Send and return what came of it; never raises for anything the network or the target does.

        again: this key was on the wire before, so a 409 means that the first send is still being worked on.
        """
        if not allowed(target, str(request["url"])):
            place = _origin(str(request["url"]))
            said = f"{place} is not the host of target {target.name}; nothing was sent"
            return Answer("refused", 0, said, reached=False)
        if target.kind == "rabbitmq":
            return self._redrive(target, request, again=again)
        return self._call(target, request, again=again)

    def probe(self, target: Target) -> Answer:
        """Ask the target whether it is well, without an effect: GET its probe path, or HEAD its address."""
        if target.kind == "rabbitmq":
            return self._redrive(target, None)
        method, path = ("GET", target.probe) if target.probe else ("HEAD", "")
        request: dict[str, Any] = {"method": method, "url": target.url.rstrip("/") + path, "headers": {}, "json": None}
        return self._call(target, request, again=False)

    def _redrive(self, target: Target, request: Mapping[str, Any] | None, *, again: bool = False) -> Answer:
        """Redrive, or without a request only look whether the broker lets us in."""
        from tower.actions import target_rabbit  # the broker's client is loaded only where a broker is a target

        try:
            secret = self._secrets.resolve(target.auth["basic"]) if target.auth else ""
        except SecretError as error:
            return Answer("unsent", 0, str(error), reached=False)
        user, _, password = secret.partition(":")
        login = (user, password) if secret else None
        if request is None:
            return target_rabbit.probe(target, login)
        return target_rabbit.redrive(target, request, login, again=again)

    def _call(self, target: Target, request: Mapping[str, Any], *, again: bool) -> Answer:
        """Call; once more with a new token where one of before is no longer taken, since then nothing was done."""
        if target.oauth2 is None:
            return self._once(target, request, again=again, token="")
        answer = Answer("unsent", 0, "")
        for _ in range(2):
            try:
                token = self._tokens.token(target, target.oauth2)
            except (SecretError, TokenError) as error:
                return Answer("unsent", 0, str(error), reached=False)
            answer = self._once(target, request, again=again, token=token)
            if answer.status != 401 or not self._tokens.forget(target, token):
                break
        return answer

    def _once(self, target: Target, request: Mapping[str, Any], *, again: bool, token: str) -> Answer:
        try:
            secret_headers, secrets = self._authority(target, token)
        except (SecretError, TemplateError) as error:
            return Answer("unsent", 0, str(error), reached=False)
        body = None if request["json"] is None else msgspec.json.encode(request["json"])
        headers = {
            **({"Content-Type": "application/json"} if body is not None else {}),
            **request["headers"],
            **secret_headers,
        }
        try:
            response = self._client.request(
                str(request["method"]), str(request["url"]), content=body, headers=headers, timeout=target.timeout_s
            )
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            said = f"no connection to {_origin(target.url)}: {type(error).__name__}"
            return Answer("unsent", 0, said, reached=False)
        except httpx.HTTPError as error:
            return Answer("unknown", 0, f"no answer from {_origin(target.url)}: {type(error).__name__}")
        answer = _read(response, secrets, again=again)
        log.info("action_sent", target=target.name, status=answer.status, verdict=answer.verdict)
        return answer

    def _authority(self, target: Target, token: str) -> tuple[dict[str, str], list[str]]:
        """Return the headers that hold secrets, and the secrets, to keep them out of what is written down."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        secrets = [token] if token else []
        for scheme, reference in target.auth.items():
            secret = self._secrets.resolve(reference)
            encoded = base64.b64encode(secret.encode()).decode()
            headers["Authorization"] = f"Bearer {secret}" if scheme == "bearer" else f"Basic {encoded}"
            secrets += [secret, encoded]
        for name, value in target.headers.items():
            if is_reference(value):
                secrets.append(self._secrets.resolve(value))
            headers[name] = secrets[-1] if is_reference(value) else value
        for name, value in headers.items():
            header_value(name, value)
        return headers, secrets


def allowed(target: Target, url: str) -> bool:
    """Return whether the url is at the target's own scheme, host and port, with no user in it."""
    want, have = urlsplit(target.url), urlsplit(url)
    try:
        same = (want.scheme, want.hostname, want.port) == (have.scheme, have.hostname, have.port)
    except ValueError:
        return False
    return same and have.scheme in ("http", "https", "amqp", "amqps") and bool(have.hostname) and "@" not in have.netloc


def _read(response: httpx.Response, secrets: list[str], *, again: bool) -> Answer:
    status = response.status_code
    text = response.text[:_SNIPPET]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    said = f"{status} {response.reason_phrase}" + (f": {text}" if text else "")
    if 200 <= status < 300:
        return Answer("accepted", status, said)
    if status >= 500 or status in _NOT_NOW or (status == 409 and again):
        return Answer("unknown", status, said, _retry_after(response))
    if 300 <= status < 400:
        return Answer("refused", status, f"{status}: the target answered with a redirect, which is never followed")
    return Answer("refused", status, said)


def _retry_after(response: httpx.Response) -> int | None:
    text = response.headers.get("Retry-After", "")
    return min(int(text), 86_400) if text.isascii() and text.isdigit() else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
