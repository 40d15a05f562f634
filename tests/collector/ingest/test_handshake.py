"""What senders ask before they send is answered as each of them needs it; nothing is called from the door."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.collector.desk import Desk
from tests.collector.ingest.systems import NATIVE, SECRET, SECRETS
from tests.collector.ingest.test_door import BEARER, problem
from tests.collector.verify.signing import b64
from tower.model.sns_address import is_sns

CODE = {"code": SECRET}


@pytest.fixture
def door(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(connections=NATIVE, secrets=SECRETS)


def kept(door: Desk) -> int:
    door.ingest("plain", b"last", {"Authorization": "Bearer admin"}, wait=True)
    ((count,),) = door.rows("count()", "raw")
    return int(count) - 1


def test_a_cloudevents_sender_gets_exactly_the_origin_it_asked_for(door: Desk) -> None:
    asked = {"WebHook-Request-Origin": "EventGrid.azure.net", "WebHook-Request-Rate": "120"}
    answer = door.ingest("grid", b"", asked, method="OPTIONS")
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "EventGrid.azure.net"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]
    limited = door.ingest("strict", b"", asked, method="OPTIONS")
    assert limited.headers["webhook-allowed-rate"] == "300"


def test_an_origin_that_the_connection_does_not_name_gets_no_permission(door: Desk) -> None:
    answer = door.ingest("strict", b"", {"WebHook-Request-Origin": "elsewhere.example"}, method="OPTIONS")
    problem(answer, 403, "forbidden_origin")
    plain = door.ingest("strict", b"", method="OPTIONS")
    assert plain.status_code == 200
    assert "webhook-allowed-origin" not in plain.headers
    problem(door.ingest("nobody", b"", {"WebHook-Request-Origin": "x"}, method="OPTIONS"), 404, "unknown_connection")


def test_an_event_grid_validation_is_answered_with_its_code_and_not_kept(door: Desk) -> None:
    event = {
        "id": "1",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "512d38b6", "validationUrl": "https://rp.example/validate"},
    }
    body = json.dumps([event]).encode()
    answer = door.ingest("grid", body, {"aeg-event-type": "SubscriptionValidation"}, query=CODE)
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "512d38b6"})
    problem(door.ingest("grid", body, {"aeg-event-type": "SubscriptionValidation"}), 401, "unverified")
    assert kept(door) == 0


@pytest.mark.parametrize(
    "body",
    [
        b'[{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {}}]',
        b'[{"eventType": "Other", "data": "Microsoft.EventGrid.SubscriptionValidationEvent"}]',
        b"Microsoft.EventGrid.SubscriptionValidationEvent",
        b'{"Type": 5, "Message": "SubscriptionConfirmation"}',
        b'{"Type": "Notification", "Message": "SubscriptionConfirmation"}',
    ],
)
def test_what_only_looks_like_a_handshake_is_a_message(door: Desk, body: bytes) -> None:
    assert door.ingest("grid", body, {"aeg-event-type": "SubscriptionValidation"}, query=CODE).status_code == 202
    assert kept(door) == 1


def test_adobes_challenge_comes_back_as_plain_text(door: Desk) -> None:
    answer = door.ingest("shop", b"", method="GET", query={"challenge": "<b>8ec8d794</b>"})
    assert (answer.status_code, answer.text) == (200, "<b>8ec8d794</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    refused = door.ingest("shop", b"", method="GET")
    problem(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["allow"]


def confirmation(url: str) -> bytes:
    return json.dumps(
        {"Type": "SubscriptionConfirmation", "MessageId": "m-1", "Token": "t", "SubscribeURL": url}
    ).encode()


GOOD_URL = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn&Token=t"


def test_an_sns_confirmation_becomes_an_intent_once(door: Desk) -> None:
    headers = {**BEARER, "x-amz-sns-message-type": "SubscriptionConfirmation"}
    first = door.ingest("slow", confirmation(GOOD_URL), headers)
    again = door.ingest("slow", confirmation(GOOD_URL), headers)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert door.rows("fetch_id, kind, connection, url, state, attempts", "fetches FINAL") == [
        (first.json()["fetch_id"], "sns_confirmation", "slow", GOOD_URL, "asked", 0)
    ]
    assert kept(door) == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-central-1.amazonaws.com.evil.example/",
        "https://evil.example/sns.eu-central-1.amazonaws.com",
        "https://s3.eu-central-1.amazonaws.com/",
        "https://sns.eu-central-1.amazonaws.com@evil.example/",
        "https://user:pw@sns.eu-central-1.amazonaws.com/",
        "https://sns.eu-central-1.amazonaws.com:8443/",
        "https://sns.eu-central-1.amazonaws.com:bad/",
        "https://[sns",
        "https://sns.eu-central-1.amazonaws.com/" + "x" * 5000,
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_snss_own_is_never_called(door: Desk, url: str) -> None:
    assert not is_sns(url)
    problem(door.ingest("slow", confirmation(url), BEARER), 403, "forbidden_address")
    assert door.rows("count()", "fetches") == [(0,)]


def test_the_regions_of_sns_are_known() -> None:
    assert is_sns(GOOD_URL)
    assert is_sns("https://sns.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription")


OUTBOUND = (
    b'<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D1</OrganizationId>'
    b"<Notification><Id>04l1</Id></Notification></notifications></soapenv:Body></soapenv:Envelope>"
)


def test_salesforce_hears_its_acknowledgement_once_the_message_is_kept(
    door: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = {"Authorization": "Basic " + b64(b"user:password"), "Content-Type": "text/xml"}
    answer = door.ingest("crm", OUTBOUND, user)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    ack = ElementTree.fromstring(answer.content).find(".//{http://soap.sforce.com/2005/09/outbound}Ack")
    assert ack is not None
    assert ack.text == "true"
    assert door.ingest("crm", OUTBOUND, user).content == answer.content, "a repeat is acknowledged, too"
    assert kept(door) == 1
    monkeypatch.setattr("collector.journal.os.fdatasync", lambda _: (_ for _ in ()).throw(OSError(5, "no")))
    problem(door.ingest("crm", OUTBOUND + b" ", user), 503, "journal_failed")
