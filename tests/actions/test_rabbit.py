"""Redriving on a real broker: nothing lost, nothing delivered twice to who remembers ids, also when the broker is killed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from rules.model import Target
from tests.actions.broker import MISSING, Broker, installed
from tower.actions.target import Sender
from tower.actions.target_rabbit import KEY_HEADER
from tower.model.secret import Secrets

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.close()


@pytest.fixture
def sender() -> Iterator[Sender]:
    sender = Sender(Secrets({}))
    yield sender
    sender.close()


def dead(broker: Broker, name: str, orders: list[str], *, ids: bool = True) -> None:
    """Send a message for each order to a queue whose consumer refuses all of them."""
    connection = broker.connect()
    channel = connection.channel()
    channel.queue_declare(f"{name}.dlq", durable=True)
    dying = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{name}.dlq"}
    channel.queue_declare(name, durable=True, arguments=dying)
    for n, order in enumerate(orders):
        properties = pika.BasicProperties(
            delivery_mode=2, headers={"order_id": order}, correlation_id=order, message_id=f"m{n}" if ids else None,
            content_type="application/json",
        )  # fmt: skip
        channel.basic_publish("", name, f'{{"n": {n}}}'.encode(), properties)
    refused = 0
    while refused < len(orders):
        method, _, _ = channel.basic_get(name)
        if method is not None:
            channel.basic_reject(method.delivery_tag, requeue=False)
            refused += 1
    settle(channel, f"{name}.dlq", len(orders))
    connection.close()


def sync(broker: Broker, queue: str) -> None:
    """Put what is on a queue back with confirms: what a broker has dead-lettered moments ago, a kill may take from it."""
    found = taken(broker, queue)
    connection = broker.connect()
    channel = connection.channel()
    channel.confirm_delivery()
    for properties, body in found:
        channel.basic_publish("", queue, body, properties, mandatory=True)
    connection.close()


def depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def settle(channel: Any, queue: str, count: int) -> None:
    deadline = time.monotonic() + 10
    while depth(channel, queue) != count:
        assert time.monotonic() < deadline, (queue, depth(channel, queue), count)
        time.sleep(0.02)


def taken(broker: Broker, queue: str) -> list[tuple[pika.BasicProperties, bytes]]:
    """Take everything off a queue."""
    connection = broker.connect()
    channel = connection.channel()
    found = []
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            break
        found.append((properties, body))
    connection.close()
    return found


def ask(broker: Broker, sender: Sender, queue: str, *, again: bool = False, **wanted: Any) -> Any:
    everything = {"queue": queue, "header": "", "property": "", "value": "", "to_queue": "", "most": 1000, **wanted}
    target = Target("broker", "rabbitmq", broker.url, timeout_s=5)
    request = {"url": broker.url, "method": "REDRIVE", "headers": {"Idempotency-Key": "k1"}, "json": everything}
    return sender.send(target, request, again=again)


@pytest.mark.parametrize(
    "by", [{"header": "order_id", "value": "SO-1"}, {"property": "correlation_id", "value": "SO-1"}], ids=str
)
def test_one_order_s_messages_go_back_to_where_they_fell_out(
    broker: Broker, sender: Sender, by: dict[str, Any]
) -> None:
    name = f"by-{next(iter(by))}"
    dead(broker, name, ["SO-1", "SO-2", "SO-1"])
    answer = ask(broker, sender, f"{name}.dlq", **by)
    assert (answer.verdict, answer.detail) == ("accepted", "2 redriven, 1 of others left, 0 unroutable")
    back = taken(broker, name)
    assert [(p.message_id, p.correlation_id, p.delivery_mode, body) for p, body in back] == [
        ("m0", "SO-1", 2, b'{"n": 0}'), ("m2", "SO-1", 2, b'{"n": 2}'),
    ]  # fmt: skip
    headers = back[0][0].headers
    assert headers["x-death"][0]["queue"] == name and headers[KEY_HEADER] == "k1"
    assert [p.message_id for p, _ in taken(broker, f"{name}.dlq")] == ["m1"]


def test_as_many_as_asked_for_in_their_order_and_conserved(broker: Broker, sender: Sender) -> None:
    dead(broker, "drain", [f"SO-{n}" for n in range(10)])
    assert ask(broker, sender, "drain.dlq", most=4).verdict == "accepted"
    moved, left = taken(broker, "drain"), taken(broker, "drain.dlq")
    assert [p.message_id for p, _ in moved + left] == [f"m{n}" for n in range(10)]
    assert len(moved) == 4


def test_what_nobody_would_take_stays(broker: Broker, sender: Sender) -> None:
    dead(broker, "lost", ["SO-1", "SO-2"])
    answer = ask(broker, sender, "lost.dlq", to_queue="no-such-queue")
    assert (answer.verdict, answer.status) == ("refused", 312)
    assert len(taken(broker, "lost.dlq")) == 2


def test_a_message_without_an_id_gets_one_that_a_repeat_gets_too(broker: Broker, sender: Sender) -> None:
    dead(broker, "nameless", ["SO-1"], ids=False)
    connection = broker.connect()
    channel = connection.channel()
    _, properties, body = channel.basic_get("nameless.dlq")
    channel.basic_publish("", "nameless.dlq", body, properties)  # the copy that a lost acknowledgement leaves behind
    connection.close()
    ask(broker, sender, "nameless.dlq")
    assert len({p.message_id for p, _ in taken(broker, "nameless")}) == 1


@pytest.mark.parametrize(
    ("queue", "again", "verdict", "status"),
    [("empty.dlq", False, "refused", 404), ("empty.dlq", True, "accepted", 200), ("nowhere", False, "refused", 404)],
    ids=["nothing there", "nothing left to repeat", "no such queue"],
)
def test_what_there_is_not(broker: Broker, sender: Sender, queue: str, again: bool, verdict: str, status: int) -> None:
    dead(broker, "empty", [])
    answer = ask(broker, sender, queue, again=again)
    assert (answer.verdict, answer.status) == (verdict, status)


def test_a_thousand_are_redriven_once_each_though_the_broker_is_killed_half_way(broker: Broker, sender: Sender) -> None:
    dead(broker, "big", [f"SO-{n}" for n in range(1000)])
    sync(broker, "big.dlq")
    answers: list[Any] = []
    work = threading.Thread(target=lambda: answers.append(ask(broker, sender, "big.dlq")))
    work.start()
    connection = broker.connect()
    channel = connection.channel()
    deadline = time.monotonic() + 20
    while depth(channel, "big") < 300 and time.monotonic() < deadline:
        time.sleep(0.01)
    connection.close()
    broker.kill()
    work.join(timeout=20)
    assert answers[0].verdict == "unknown", answers[0]
    assert ask(broker, sender, "big.dlq").verdict == "unsent"
    broker.start()
    final = ask(broker, sender, "big.dlq", again=True)
    assert final.verdict == "accepted"
    consumer: dict[str, bytes] = {}
    delivered = taken(broker, "big")
    for properties, body in delivered:
        consumer.setdefault(properties.message_id, body)
    assert len(consumer) == 1000
    assert set(consumer.values()) == {f'{{"n": {n}}}'.encode() for n in range(1000)}
    repeats = Counter(properties.message_id for properties, _ in delivered)
    assert max(repeats.values()) <= 2  # a killed broker forgets acknowledgements, and those copies come again, once
    assert taken(broker, "big.dlq") == []
