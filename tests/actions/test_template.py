"""Templates: a value stays a value wherever it lands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import Policy, Request, Target
from tests.actions.world import T0, make_book
from tower.actions.policy import next_attempt_at
from tower.actions.target import allowed
from tower.actions.template import TEMPLATE_FIELDS, TemplateError, render, unknown_fields

ACTION = make_book().actions[0]
TARGET = Target("middleware", "http", "http://127.0.0.1:9000/base/", {"bearer": "env:TOWER_SECRET_X"})
FIELDS = dict.fromkeys(TEMPLATE_FIELDS, "v")


def made(request: Request, **fields: str) -> dict[str, Any]:
    """Render a request."""
    return render(replace(ACTION, request=request), TARGET, {**FIELDS, **fields}, "key")


@given(value=st.text(min_size=1))
def test_any_value_stays_one_segment_and_one_json_string(value: str) -> None:
    try:
        wire = made(Request("POST", "/a/{order_id}/b?x={order_id}", {"id": "{order_id}", "n": 1}), order_id=value)
    except TemplateError:
        assert value in (".", "..")
        return
    except UnicodeEncodeError:
        assert any(0xD800 <= ord(c) <= 0xDFFF for c in value)
        return
    parts = urlsplit(wire["url"])
    assert parts.netloc == "127.0.0.1:9000"
    assert [unquote(s) for s in parts.path.split("/")] == ["", "base", "a", value, "b"]
    assert unquote(parts.query) == f"x={value}"
    assert wire["json"] == {"id": value, "n": 1}
    assert allowed(TARGET, wire["url"])


def test_an_unknown_field_is_named() -> None:
    request = Request("POST", "/{order}", {"a": ["{nope}"]}, {"X-A": "{stage}"})
    assert unknown_fields(request) == ["nope", "order"]
    with pytest.raises(TemplateError, match="order_id"):
        made(request)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\x00", "ä"])
def test_a_header_cannot_be_broken_out_of(value: str) -> None:
    with pytest.raises(TemplateError, match="X-Reason"):
        made(Request("POST", "/", None, {"X-Reason": "{reason}"}), reason=value)


@pytest.mark.parametrize("name", ["Authorization", "idempotency-key", "Host", "bad name", "X:Y"])
def test_some_headers_are_not_a_template_s_to_set(name: str) -> None:
    with pytest.raises(TemplateError):
        made(Request("POST", "/", None, {name: "x"}))


def test_braces_can_be_written_and_lone_ones_are_refused() -> None:
    assert made(Request("POST", "/{{x}}", {"{{k}}": "{{}}"}))["json"] == {"{k}": "{}"}
    with pytest.raises(TemplateError, match="lone brace"):
        made(Request("POST", "/{order_id"))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9001/", "https://127.0.0.1:9000/", "http://localhost:9000/", "http://x@127.0.0.1:9000/",
     "http://127.0.0.1:9000@evil/", "ftp://127.0.0.1:9000/", "http://127.0.0.1:99999/", "//127.0.0.1:9000/"],
)  # fmt: skip
def test_only_the_target_s_own_place_is_allowed(url: str) -> None:
    assert not allowed(TARGET, url)
    assert allowed(TARGET, "http://127.0.0.1:9000/anything?x=1")


def test_waits_grow_by_policy_and_stop() -> None:
    doubling = Policy(attempts=5, backoff="exponential", first_s=30, max_s=100)
    waits = [next_attempt_at(doubling, n, T0) for n in range(1, 6)]
    assert waits == [*(T0 + timedelta(seconds=s) for s in (30, 60, 100, 100)), None]
    assert next_attempt_at(Policy(2, "fixed", 30), 1, T0) == T0 + timedelta(seconds=30)
    assert next_attempt_at(Policy(2, "none", 30), 1, T0) == T0
    assert next_attempt_at(Policy(2, "none", 30), 1, T0, retry_after_s=90) == T0 + timedelta(seconds=90)
