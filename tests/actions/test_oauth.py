"""Tokens by client credentials: asked for as RFC 6749 says, kept, renewed, and seen by nobody."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from rules.errors import RulebookError
from rules.model import Target
from rules.parse import parse_book
from tests.actions.target_stub import Reply, TargetStub
from tests.actions.test_presets import BASE, CASES, FIELDS
from tower.actions.target import Sender
from tower.actions.template import render, shown
from tower.model.secret import Secrets

SECRET = "tower:s3cr3t/value+"
PRESETS = ("logicapps-resubmit", "sap-ci-retry", "boomi-rerun", "netsuite-upsert", "camunda8-resolve")


@pytest.fixture
def server() -> Iterator[TargetStub]:
    """The token server."""
    stub = TargetStub()
    stub.plan = [given(1), given(2)]
    yield stub
    stub.close()


def given(number: int, **more: Any) -> Reply:
    body = {"access_token": f"token-{number}", "token_type": "Bearer", "expires_in": 3600} | more
    return Reply(200, str(body).replace("'", '"'))


def book(
    preset: str,
    target: TargetStub,
    server: TargetStub,
    hosts: str = "",
    client: str = "env:TOWER_SECRET_APP",
    method: str = "client_secret_basic",
) -> Any:
    filling = ", ".join(f'{name}: "{value}"' for name, value in CASES[preset][0].items())
    return parse_book({"a.yaml": BASE, "b.yaml": f"""
targets:
  system:
    kind: http
    url: "{target.url}"
    {hosts}
    auth: {{oauth2: {{token_url: "{server.url}/token", client: "{client}", scope: "orders.retry", method: {method}}}}}
actions:
  - {{id: act, kind: retry, stage: any, target: system, preset: {preset}, with: {{{filling}}}, policy: {{attempts: 1}},
     verify: {{milestone: delivered, within: 1m}}}}
"""})  # fmt: skip


def sent(made: Any, sender: Sender) -> Any:
    target: Target = made.targets["system"]
    return sender.send(target, render(made.actions[-1], target, FIELDS, "k"))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_goes_out_under_a_token_that_is_fetched_once(
    preset: str, target: TargetStub, server: TargetStub
) -> None:
    made = book(preset, target, server)
    sender = Sender(Secrets({"TOWER_SECRET_APP": SECRET}))
    assert [sent(made, sender).verdict for _ in range(2)] == ["accepted", "accepted"]
    (asked,) = server.heard
    proof = base64.b64encode(b"tower:s3cr3t%2Fvalue%2B").decode()
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("POST", "/token", f"Basic {proof}")
    assert asked.body == {"grant_type": "client_credentials", "scope": "orders.retry"}
    assert [h.headers["authorization"] for h in target.heard] == ["Bearer token-1"] * 2
    sender.close()


def test_a_server_may_want_the_secret_in_the_body(target: TargetStub, server: TargetStub) -> None:
    made = book("sap-ci-retry", target, server, method="client_secret_post")
    sender = Sender(Secrets({"TOWER_SECRET_APP": SECRET}))
    assert sent(made, sender).verdict == "accepted"
    (asked,) = server.heard
    assert "authorization" not in asked.headers
    own = {"client_id": "tower", "client_secret": "s3cr3t/value+"}
    assert asked.body == {"grant_type": "client_credentials", "scope": "orders.retry"} | own
    sender.close()
    with pytest.raises(RulebookError, match="'client_secret_jwt' is not allowed"):
        book("sap-ci-retry", target, server, method="client_secret_jwt")


def test_a_token_that_is_no_longer_taken_is_changed_for_a_new_one(target: TargetStub, server: TargetStub) -> None:
    made, sender = book("sap-ci-retry", target, server), Sender(Secrets({"TOWER_SECRET_APP": SECRET}))
    target.plan = [Reply(401, "no $echo"), Reply(200), Reply(401, "no $echo")]
    assert sent(made, sender).verdict == "accepted"
    assert [h.headers["authorization"] for h in target.heard] == ["Bearer token-1", "Bearer token-2"]
    refused = sent(made, sender)
    assert (refused.verdict, refused.status) == ("refused", 401)
    assert "token-" not in refused.detail and "***" in refused.detail
    assert len(target.heard) == 4, "one more try, not for ever"
    sender.close()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(401, '{"error": "invalid_client", "hint": "$echo"}'), "answered 401: invalid_client"),
        (Reply(200, '{"access_token": "t"}'), "answered 200: no bearer token in it"),
        (Reply(200, "<html>"), "answered 200: no bearer token in it"),
        (Reply(302, "", {"Location": "http://127.0.0.1:9/"}), "answered 302"),
    ],
)
def test_without_a_token_nothing_is_sent(reply: Reply, said: str, target: TargetStub, server: TargetStub) -> None:
    server.plan = [reply]
    sender = Sender(Secrets({"TOWER_SECRET_APP": SECRET}))
    answer = sent(book("sap-ci-retry", target, server), sender)
    assert (answer.verdict, answer.reached, target.heard) == ("unsent", False, [])
    assert said in answer.detail and "s3cr3t" not in answer.detail
    sender.close()


def test_a_dry_run_shows_no_secret_and_asks_for_no_token(target: TargetStub, server: TargetStub) -> None:
    made = book("sap-ci-retry", target, server)
    known = made.targets["system"]
    request = shown(render(made.actions[-1], known, FIELDS, "k"), known)
    assert request["headers"]["Authorization"] == "Bearer ***"
    assert server.heard == []


def test_a_token_server_elsewhere_has_to_be_named(target: TargetStub, server: TargetStub) -> None:
    server.url = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(RulebookError, match="'localhost' is not the host of the target, nor among its hosts"):
        book("sap-ci-retry", target, server)
    made = book("sap-ci-retry", target, server, hosts="hosts: [localhost]")
    sender = Sender(Secrets({"TOWER_SECRET_APP": SECRET}))
    assert sent(made, sender).verdict == "accepted"
    sender.close()
    with pytest.raises(RulebookError, match="no reference to a secret"):
        book("sap-ci-retry", target, server, hosts="hosts: [localhost]", client="app:plain")
