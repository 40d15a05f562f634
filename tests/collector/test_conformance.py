"""The public CloudEvents scenarios and examples, and any bytes at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector import cloudevents
from tests.amount import SEEDS
from tests.collector.desk import BATCH, NDJSON, STRUCTURED, Desk, as_json, event

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "conformance"
needs_files = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the shared conformance files are not beside the repository"
)


def scenarios() -> list[tuple[str, str, dict[str, str], bytes]]:
    """Return (mode, content type, ce- headers, body) of each example of each scenario."""
    path = FOLDER / "cloudevents_http_binding.feature"
    if not path.exists():
        return []
    found = []
    for outline in path.read_text().split("Scenario Outline: ")[1:]:
        mode = outline.split(" ", 1)[0].lower()
        quoted = outline.split('"""')[1]
        head, body = re.split(r"\n\s*\n", quoted.strip(), maxsplit=1)
        headers = dict(re.findall(r"^\s*([\w-]+): (.*)$", head, re.M))
        examples = outline.split("Examples:")[1]
        for content_type in [
            row.strip(" |") for row in examples.strip().splitlines()[1:] if row.strip().startswith("|")
        ]:
            attributes = {k.lower(): v for k, v in headers.items() if k.lower().startswith("ce-")}
            found.append((mode, content_type, attributes, body.encode()))
    return found


@needs_files
@pytest.mark.parametrize(("mode", "content_type", "attributes", "body"), scenarios())
def test_a_request_is_parsed_as_the_conformance_scenarios_say(
    mode: str, content_type: str, attributes: dict[str, str], body: bytes
) -> None:
    sent = cloudevents.split(content_type, [(k.encode(), v.encode()) for k, v in attributes.items()], body)
    (raw,) = sent.raws
    parsed = msgspec.json.decode(raw)
    assert sent.lone
    assert parsed.pop("data") == {"message": "Hello World!"}
    assert parsed == {
        "id": "1234-1234-1234",
        "specversion": "1.0",
        "type": "com.example.someevent",
        "source": "/mycontext/subcontext",
        "time": "2018-04-05T03:56:24Z",
        "datacontenttype": content_type if mode == "binary" else "application/json",
    }


@needs_files
def test_the_examples_of_the_specification_are_understood_and_politely_refused(desk: Desk) -> None:
    """They are events, but not ours: each is refused for its type or its data, none for its form."""
    answer = desk.post((FOLDER / "cloudevents_spec_examples_a.json").read_bytes(), BATCH)
    assert answer.status_code == 200
    codes = [r["code"] for r in answer.json()["rejected"]]
    assert len(codes) == 4
    assert set(codes) <= {"unknown_type", "data_not_json", "invalid_event"}


@needs_files
def test_our_events_are_events_by_the_public_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = msgspec.json.decode((FOLDER / "cloudevents_schema.json").read_bytes())
    jsonschema.validate(event(1), schema)


def test_nulls_and_unknown_extensions_change_nothing(desk: Desk) -> None:
    body = as_json(1, subject=None, comexampleextension1="value", data={"invoice_id": None}).replace(
        b'"time"', b'"traceparent":null,"time"'
    )
    assert desk.post(body).json()["accepted"] == 1


def test_data_in_base64_is_data(desk: Desk) -> None:
    body = as_json(1, data_base64="eyJvcmRlcl9pZCI6ICJTTy05In0=")
    assert desk.post(body, wait=True).json()["accepted"] == 1
    assert desk.rows("on_types, on_ids") == [(["order"], ["SO-9"])]
    assert desk.post(as_json(2, data_base64="?")).status_code == 400


FORMS = st.sampled_from(
    [STRUCTURED, BATCH, NDJSON, "application/json", "application/json;charset=utf-8", "text/plain", ""]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def near_events(draw: st.DrawFn) -> bytes:
    """Return a good event with some fields set to anything."""
    made = event(draw(st.integers(1, 5)))
    for name in draw(st.lists(st.sampled_from([*made, "traceparent", "data_base64", "datacontenttype"]), max_size=2)):
        made[name] = draw(JSON)
    if isinstance(made["data"], dict):
        fields = ["order_id", "links", "amount", "currency", "promised_at", "error", "load_id", "basket"]
        for name in draw(st.lists(st.sampled_from(fields), max_size=3)):
            made["data"][name] = draw(JSON)
    made["source"] = draw(st.sampled_from(["/wms/berlin", "/shop/x"])) if draw(st.booleans()) else made["source"]
    return msgspec.json.encode(made)


@pytest.fixture
def takes_all(make_desk: Callable[..., Desk]) -> Iterator[Desk]:
    """A desk whose store must take, in the end, every line that the door took."""
    desk = make_desk()
    yield desk
    assert desk.post(as_json("probe"), wait=True).status_code == 200
    assert desk.collector.stats().store_refused == 0


@settings(max_examples=60 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300) | near_events(),
    content_type=FORMS,
    encoding=st.sampled_from(["", "", "", "gzip", "deflate"]),
)
@example(
    b'{"specversion":"1.0","id":"e","source":"/shop","type":"o2c.s","time":"2026-03-01T00:00:01Z","data":null}',
    "application/cloudevents+json",
    "",
)
def test_any_bytes_give_rows_or_a_rejection(takes_all: Desk, body: bytes, content_type: str, encoding: str) -> None:
    answer = takes_all.post(body, content_type, headers={"Content-Encoding": encoding})
    assert answer.status_code in (200, 400, 403, 413, 415), answer.text
    if answer.status_code == 200:
        assert set(answer.json()) == {"accepted", "duplicate", "quarantined", "rejected"}
    else:
        assert answer.json()["detail"]


@settings(max_examples=30 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bodies=st.lists(
        near_events() | st.binary(max_size=50).filter(lambda b: b"\n" not in b and b.strip() != b""), max_size=8
    )
)
def test_every_line_gets_exactly_one_verdict_and_the_store_takes_what_the_door_took(
    takes_all: Desk, bodies: list[bytes]
) -> None:
    answer = takes_all.post(b"\n".join(bodies), NDJSON)
    if answer.status_code == 200:
        reply = answer.json()
        assert reply["accepted"] + reply["duplicate"] + reply["quarantined"] + len(reply["rejected"]) == len(bodies)
    else:
        assert answer.json()["code"] == "not_json"
