"""What the store makes of a journal line is what the event says, however it is spelled and whatever it names."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.collector import EVENTS
from collector.decode import decode
from collector.identity import Identities
from collector.intake import Batch, take
from collector.senders import Sender
from collector.sink import Sink
from rules.vocabulary import (
    ID_FIELDS,
    OBJECT_TYPES,
    RELATIONS,
    TEXT_ATTRIBUTES,
    Link,
    ObjectRef,
    deepest,
    infer_links,
    orient,
)
from tests.collector.desk import MILESTONES, NOW
from tower.store.client import Store

_OBJECTS = "on_types, on_ids, child_types, child_ids, parent_types, parent_ids, relations, retracts"
_COLUMNS = (
    f"{_OBJECTS}, amount, quantity, promised_at, requested_at, {', '.join(TEXT_ATTRIBUTES)}, reason, error,"
    " source, event_id, type, milestone, polarity, occurred_at, received_at, connection, kind, quarantine, raw"
)
_tokens = itertools.count()


class OneSender:
    """Every event comes from the same connection."""

    def __init__(self, scope: str = "") -> None:
        head = b'"received_at":"2026-03-01T12:00:00Z","connection":"c","kind":"k"'
        self._sender = Sender(True, "c", "k", scope, frozenset(), head)

    def find(self, _source: str) -> Sender:
        return self._sender


def taken(raws: Sequence[bytes], scope: str = "") -> Batch:
    return take(
        raws, senders=OneSender(scope), milestones=MILESTONES, identities=Identities(), now=NOW, utf8=True
    )  # fmt: skip


def stored(store: Store, lines: bytes, columns: str) -> list[tuple[Any, ...]]:
    """Insert lines as the drain does and return their rows in the order of the lines."""
    with store.writer() as client:
        client.command("TRUNCATE TABLE events")
        Sink(store, EVENTS).insert(client, lines, f"t{next(_tokens)}")
        return [tuple(row) for row in client.query(f"SELECT {columns} FROM events").result_rows]


def columns_of(named: dict[str, list[str]], stated: Sequence[Link] = ()) -> tuple[list[Any], ...]:
    """Return the columns of objects and links as the vocabulary says."""
    links = list(dict.fromkeys([*infer_links(named), *sorted(stated)]))
    on = deepest(named, links)
    return (
        [o.type for o in on], [o.id for o in on], [k.child.type for k in links], [k.child.id for k in links],
        [k.parent.type for k in links], [k.parent.id for k in links], [k.relation for k in links],
        [int(k.retract) for k in links],
    )  # fmt: skip


def test_every_set_of_single_ids_hangs_together_as_the_vocabulary_says(store: Store) -> None:
    """All 4,096 of them."""
    sets = [dict(zip(OBJECT_TYPES, bits, strict=True)) for bits in itertools.product((False, True), repeat=12)]
    named = [{name: [f"{name}-{i}"] for name, is_named in bits.items() if is_named} for i, bits in enumerate(sets)]
    lines = [
        {
            "received_at": "2026-03-01T12:00:00Z",
            "source": "/s",
            "event_id": str(i),
            **{f"{k}_id": v for k, (v,) in n.items()},
        }
        for i, n in enumerate(named)
    ]
    rows = stored(store, b"".join(json.dumps(line).encode() + b"\n" for line in lines), _OBJECTS)
    assert rows == [columns_of(n) for n in named]


_HEX = "0123456789abcdef"


def trace_of(traceparent: str) -> str:
    """W3C trace context: version, trace, parent and flags; 00 has nothing more, ff does not exist."""
    parts = re.fullmatch(
        "([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", traceparent, re.DOTALL | re.ASCII
    )
    if not parts or parts[1] == "ff" or (parts[1] == "00" and parts[5] is not None):
        return ""
    return "" if set(parts[2]) == {"0"} or set(parts[3]) == {"0"} else parts[2]


def test_a_valid_traceparent_gives_its_trace_and_no_other_does(store: Store) -> None:
    rng = random.Random(7)
    good = f"00-{'ab' * 16}-{'0' * 15}1-00"
    odd = [
        good, good + "-", good + "-x", good + "\n", good.upper(), good[:-1], " " + good, good.replace("-", "_"), "", "0",
        f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'1' * 32}-{'0' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01",
        f"01-{'1' * 32}-{'1' * 16}-01", f"fe-{'1' * 32}-{'1' * 16}-01-ä\n", f"10-{'1' * 32}-{'1' * 16}-01x",
        f"f0-{'1' * 32}-{'1' * 16}-0\u0661",
    ]  # fmt: skip
    for _ in range(500):
        made = list(rng.choice(odd[:1] + odd[13:15]))
        for _ in range(rng.randrange(3)):
            made[rng.randrange(len(made))] = rng.choice([*_HEX, "-", "g", "F", "\n"])
        odd.append("".join(made))
    raws = [event(i, {"order_id": "O"}, traceparent=text) for i, text in enumerate(odd)]
    batch = taken(raws)
    assert batch.reply.accepted == len(odd)
    rows = stored(store, bytes(batch.lines), "trace_id")
    assert [trace for (trace,) in rows] == [trace_of(text) for text in odd]
    assert len(set(rows)) > 10


def event(number: int, data: Any, **members: Any) -> bytes:
    made = {
        "specversion": "1.0", "id": f"e{number}", "source": "/wms/berlin", "type": "o2c.order_captured",
        "time": "2026-03-01T10:00:00Z", "data": data, **members,
    }  # fmt: skip
    return json.dumps(made).encode()


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", '"', '":[', '""', "\\", "a\nb\t\0", "\u2028\U0001f600", "{%b}", "%", "x" * 256]
)
_id = st.sampled_from(["A", "B", "C/1", 'q"', '":[', "ü %b", "\n"]) | _text.filter(bool)
_number = (
    st.decimals(min_value=-(10**20), max_value=10**20, places=4, allow_nan=False, allow_infinity=False).map(str)
    | st.integers(-(10**23), 10**23)
    | st.sampled_from(["1.50", "0.000001", "-0", "15e-1", "007.5", "1E+3", "-0.10"])
)
_instant = st.builds(
    lambda at, hours: at.replace(tzinfo=timezone(timedelta(hours=hours))),
    st.datetimes(datetime(1950, 1, 1), datetime(2026, 2, 1)),
    st.integers(-12, 14),
)
_end = st.tuples(st.sampled_from(OBJECT_TYPES[:5]), st.sampled_from(["A", "B", "C/1"]))
_link = st.builds(
    lambda ends, relation, retract: (*ends, relation, retract),
    st.tuples(_end, _end).filter(lambda ends: ends[0] != ends[1]),
    st.sampled_from([None, "splits", "ships"]),
    st.booleans(),
)
_few_links = st.lists(_link, max_size=2) | st.just([])
_words = st.fixed_dictionaries({}, optional=dict.fromkeys((*TEXT_ATTRIBUTES[1:], "reason", "error"), _text))
_data = st.builds(
    lambda ids, words, rest: {**ids, **words, **rest},
    st.dictionaries(st.sampled_from(list(ID_FIELDS)), _id | st.lists(_id, max_size=3) | st.none(), max_size=5),
    _words,
    st.fixed_dictionaries(
        {},
        optional={
            "amount": _number,
            "quantity": _number,
            "currency": st.sampled_from(["EUR", "usd", "pLn"]),
            "promised_at": _instant,
            "requested_at": _instant,
            "unknown": st.sampled_from([{"order_id": "no"}, [1], 10**40, None, "\U0001f600"]),
        },
    ),
)
_said = st.lists(st.tuples(_data, _few_links, _instant, st.randoms(use_true_random=False)), min_size=1, max_size=6)


def written(number: int, data: dict[str, Any], links: Sequence[Any], at: datetime, rng: random.Random) -> bytes:
    """Return the event as some sender would write it: any order, spacing, escapes, and earlier values overwritten."""
    data = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in data.items()}
    if links:
        data["links"] = [
            {"from": f"{a}:{i}", "to": {"type": b, "id": j}, "relation": relation, "retract": retract}
            for (a, i), (b, j), relation, retract in links
        ]
    spaced = {"separators": rng.choice([(",", ":"), (" ,\t", " : ")]), "ensure_ascii": rng.random() < 0.5}
    parts = [json.dumps({key: value}, **spaced)[1:-1] for key, value in data.items()]
    rng.shuffle(parts)
    if rng.random() < 0.3:
        parts.insert(0, '"order_id":"gone","invoice_id":["gone"],"amount":null,"huge":1e400')
        parts += [f'"{k}":{json.dumps(data.get(k))}' for k in ("order_id", "invoice_id")]
    members = [
        '"specversion":"1.0"', f'"id":"e{number}"', '"source":"/wms/berlin"', '"type":"o2c.order_captured.failed"',
        f'"time":"{at.isoformat()}"', f'"data":{{{",".join(parts)}}}',
    ]  # fmt: skip
    rng.shuffle(members)
    return b"{%b}" % rng.choice([",", " ,\n "]).join(members).encode()


def expected(raw: bytes, scope: str) -> tuple[Any, ...]:
    """Return the row of an event by the plainest reading of it."""
    said = decode(raw)
    data = said.data
    assert data is not None
    named = {}
    for name, kind in ID_FIELDS.items():
        given = getattr(data, name) or []
        if ids := sorted({given} if isinstance(given, str) else set(given)):
            named[kind] = [f"{scope}/{i}" if scope else i for i in ids]
    stated = []
    for link in data.links or ():
        kind, _, i = str(link.from_).partition(":")
        assert isinstance(link.to, dict)
        ends = ObjectRef(kind, i), ObjectRef(link.to["type"], link.to["id"])
        child, parent = orient(*(ObjectRef(o.type, f"{scope}/{o.id}" if scope else o.id) for o in ends))
        relation = link.relation or RELATIONS.get(child.type, "relates")
        stated.append(Link(child, parent, relation, bool(link.retract)))
    objects = columns_of(named, stated)
    return (
        *objects, data.amount, data.quantity, cut(data.promised_at), cut(data.requested_at), (data.currency or "").upper(),
        *(getattr(data, name) or "" for name in (*TEXT_ATTRIBUTES[1:], "reason", "error")), said.source, said.id, said.type,
        "order_captured", "failed", cut(said.time), NOW, "c", "k", "" if any(objects) else "no_object", raw.decode(),
    )  # fmt: skip


def cut(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_said, st.sampled_from(["", "", "s1"]))
def test_the_row_says_what_the_event_says(store: Store, said: list[Any], scope: str) -> None:
    raws = [written(n, *parts) for n, parts in enumerate(said)]
    batch = taken(raws, scope)
    assert batch.reply.rejected == []
    rows = stored(store, bytes(batch.lines), _COLUMNS)
    assert rows == [expected(raw, scope) for raw in raws]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"order_id": "O"}, {"order_id": ["O", "O"]}),
        ({"order_id": "O", "shipment_id": None}, {"order_id": "O", "shipment_id": [], "partner": "", "links": []}),
        ({"amount": "1.5", "order_id": "O"}, {"order_id": "O", "amount": 1.50}),
        ({"order_id": "O", "currency": "eur"}, {"order_id": "O", "currency": "EUR"}),
        ({"order_id": ["B", "A"], "case_id": "C"}, {"order_id": ["A", "B", "A"], "case_id": ["C"]}),
        (
            {"order_id": "O", "shipment_id": "S"},
            {"order_id": "O", "shipment_id": "S", "links": [{"from": "order:O", "to": "shipment:S"}]},
        ),
        ({"order_id": "O", "shipment_id": "S"}, {"shipment_id": "S", "links": [{"from": "shipment:S", "to": "order:O"}]}),
        (
            {"order_id": "O", "promised_at": "2026-03-01T10:00:00.0009+01:00"},
            {"order_id": "O", "promised_at": "2026-03-01T09:00:00Z"},
        ),
    ],
)  # fmt: skip
def test_two_spellings_are_one_content_to_the_door_and_to_the_store(
    store: Store, one: dict[str, Any], other: dict[str, Any]
) -> None:
    batch = taken([event(1, one), event(1, other)])
    assert (batch.reply.accepted, batch.reply.duplicate) == (1, 1)
    apart = b"".join(taken([event(1, data)]).lines for data in (one, other))
    assert len(set(stored(store, apart, "ev, body"))) == 1


def test_a_column_that_the_table_does_not_have_is_refused_and_not_lost(store: Store) -> None:
    line = taken([event(1, {"order_id": "O"})]).lines[:-2] + b',"on_typos":["order"]}\n'
    with pytest.raises(Exception, match="on_typos"):
        stored(store, bytes(line), "count()")
