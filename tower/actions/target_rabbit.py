"""Redriving dead-lettered messages of RabbitMQ (AMQP 0-9-1) to the queue they fell out of.

A message is published with a confirm and the mandatory flag, and the dead-letter copy is acknowledged only after the
confirm: whatever dies in between, it is on one of the two queues, at worst on both. It keeps its message id (or gets
one that a repeat gets, too), so that a consumer that remembers ids takes it once.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import BasicProperties

from rules.model import Target
from tower.actions.answer import Answer

MOST_LOOKED_AT = 50_000
KEY_HEADER = "x-o2c-idempotency-key"
log = structlog.get_logger("tower.actions")
logging.getLogger("pika").setLevel(logging.CRITICAL)  # tells each failed connection ten times


@dataclass(slots=True)
class Count:
    """Where the messages looked at are now; the three add up to what was looked at."""

    moved: int = 0
    kept: int = 0  # of others, or without an origin
    stuck: int = 0  # nobody takes them at their origin

    def __str__(self) -> str:
        return f"{self.moved} redriven, {self.kept} of others left, {self.stuck} unroutable"


def redrive(
    target: Target, request: Mapping[str, Any], login: tuple[str, str] | None, *, again: bool = False
) -> Answer:
    """Move what the request selects and return what came of it; never raises for anything the broker does.

    again: the same wish was sent before and may have moved some or all, so that nothing left to move is a success.
    """
    count = Count()
    wanted = dict(request["json"])
    key = str(request["headers"]["Idempotency-Key"])
    try:
        connection = pika.BlockingConnection(_parameters(target, login))
    except pika.exceptions.ProbableAuthenticationError:
        return Answer("refused", 401, f"{target.name} does not take our name and password")
    except (pika.exceptions.AMQPError, OSError) as error:
        return Answer("unsent", 0, f"no connection to {target.url}: {type(error).__name__}", reached=False)
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        _move(channel, wanted, key, count)
        if count.kept or count.stuck:
            channel.basic_nack(0, multiple=True, requeue=True)
        connection.close()
    except pika.exceptions.ChannelClosedByBroker as error:
        connection.close()
        return Answer("refused", error.reply_code, f"{error.reply_text}; {count}")
    except (pika.exceptions.AMQPError, OSError) as error:
        return Answer("unknown", 0, f"{type(error).__name__} on the way; {count}")
    log.info("action_redriven", target=target.name, queue=wanted["queue"], moved=count.moved, left=count.kept)
    if count.stuck:
        return Answer("refused", 312, f"{count}: there is no queue to take them; they stay in {wanted['queue']}")
    if count.moved or again:
        return Answer("accepted", 200, str(count))
    return Answer("refused", 404, f"no such message in {wanted['queue']}: {count}")


def probe(target: Target, login: tuple[str, str] | None) -> Answer:
    """Ask whether the broker lets us in."""
    try:
        pika.BlockingConnection(_parameters(target, login)).close()
    except pika.exceptions.ProbableAuthenticationError:
        return Answer("refused", 401, f"{target.name} does not take our name and password")
    except (pika.exceptions.AMQPError, OSError) as error:
        return Answer("unsent", 0, f"no connection to {target.url}: {type(error).__name__}", reached=False)
    return Answer("accepted", 200, "the broker lets us in")


def _move(channel: BlockingChannel, wanted: Mapping[str, Any], key: str, count: Count) -> None:
    """Look at each message of the queue once, at most."""
    depth = channel.queue_declare(wanted["queue"], passive=True).method.message_count
    for _ in range(min(depth, MOST_LOOKED_AT)):
        if count.moved >= wanted["most"]:
            return
        method, properties, body = channel.basic_get(wanted["queue"])
        if method is None or properties is None or body is None:
            return
        place = _origin(properties, wanted)
        if place is None or not _selected(properties, wanted):
            count.kept += 1  # unacknowledged: goes back when all have been looked at
            continue
        try:
            channel.basic_publish(*place, body, properties=_kept(properties, body, key), mandatory=True)
        except (pika.exceptions.UnroutableError, pika.exceptions.NackError):
            count.stuck += 1
            continue
        channel.basic_ack(method.delivery_tag)
        count.moved += 1


def _selected(properties: BasicProperties, wanted: Mapping[str, Any]) -> bool:
    if wanted["header"]:
        return bool(str((properties.headers or {}).get(wanted["header"], "")) == wanted["value"])
    if wanted["property"]:
        return bool(str(getattr(properties, wanted["property"]) or "") == wanted["value"])
    return True


def _origin(properties: BasicProperties, wanted: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return exchange and routing key: as the request says, else those of the queue that the message fell out of first.

    Straight to that queue (the default exchange), so that others bound to the first exchange do not get it twice.
    """
    if wanted["to_queue"]:
        return "", str(wanted["to_queue"])
    queue = (properties.headers or {}).get("x-first-death-queue")
    return ("", str(queue)) if queue else None


def _kept(properties: BasicProperties, body: bytes, key: str) -> BasicProperties:
    """Return the message's own properties: its headers with x-death, its ids, its durability."""
    if not properties.message_id:
        origin = (properties.headers or {}).get("x-death") or ""
        properties.message_id = hashlib.sha256(f"{origin}".encode() + body).hexdigest()[:32]
    properties.headers = {**(properties.headers or {}), KEY_HEADER: key}
    properties.user_id = None  # it must be who publishes
    return properties


def _parameters(target: Target, login: tuple[str, str] | None) -> pika.ConnectionParameters:
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    secure = parts.scheme == "amqps"
    user, password = login or ("guest", "guest")
    return pika.ConnectionParameters(
        host,
        parts.port or (5671 if secure else 5672),
        unquote(parts.path.lstrip("/")) or "/",
        pika.PlainCredentials(user, password),
        ssl_options=pika.SSLOptions(ssl.create_default_context(), host) if secure else None,
        socket_timeout=target.timeout_s,
        stack_timeout=target.timeout_s,
        blocked_connection_timeout=target.timeout_s,
        connection_attempts=1,
        client_properties={"connection_name": "o2c control tower"},
    )
