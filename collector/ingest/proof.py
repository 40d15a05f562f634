"""The secrets of all connections, looked up once at start, and the proof of one message against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from collector.door import Authenticate
from collector.verify import Message, Unverified, secret_fault, verify
from tower.model.connection import Connection
from tower.model.connections import Connections
from tower.model.problem import Problem
from tower.model.schemes import KEY
from tower.model.secret import SecretError, Secrets


def resolved_secrets(connections: Connections, secrets: Secrets) -> Mapping[str, Sequence[str]]:
    """Return each connection's secrets. Raises SecretError that names the connection and what to do."""
    return {connection.name: secrets_of(connection, secrets) for connection in connections.entries}


def secrets_of(connection: Connection, secrets: Secrets) -> Sequence[str]:
    """Return one connection's secrets. Raises SecretError that names the connection and what to do."""
    found = []
    for reference in connection.verify.secrets:
        try:
            secret = secrets.resolve(reference)
        except SecretError as error:
            raise SecretError(f"connection {connection.name}: {error}") from None
        if fault := secret_fault(connection.verify.scheme, secret):
            raise SecretError(f"connection {connection.name}: {reference}: {fault}")
        found.append(secret)
    return tuple(found)


def prove(connection: Connection, secrets: Sequence[str], message: Message, wire: bytes, now: datetime) -> None:
    """Return if the message is the connection's. Raises Problem 401.

    wire is the body as it was sent. A signature is over those bytes; some senders sign first and compress afterwards,
    so a body that was compressed is tried both ways.
    """
    try:
        try:
            verify(connection.verify, secrets, replace(message, body=wire), now)
        except Unverified:
            if wire is message.body:
                raise
            verify(connection.verify, secrets, message, now)
    except Unverified as error:
        headers = {"WWW-Authenticate": "Basic"} if connection.verify.scheme == "basic" else None
        raise Problem(401, "unverified", f"connection {connection.name}: {error}", headers=headers) from None


def prove_key(connection: Connection, authorization: str | None, authenticate: Authenticate) -> None:
    """Return if the caller's key may send for a connection without a proof of its own. Raises Problem 401 or 403."""
    if connection.verify.scheme != KEY:
        return
    principal = authenticate(authorization)
    if principal is None:
        raise Problem(401, "unauthenticated", "send a valid token as Authorization: Bearer <token>")
    if not principal.may_send_for(connection.name):
        raise Problem(403, "forbidden_connection", f"this token may not send for connection {connection.name!r}")
