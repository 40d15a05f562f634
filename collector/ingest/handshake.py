"""What senders ask before and beside their messages, and the answers they need.

Nothing is fetched here: where a handshake wants an address called, the address is checked and handed on as an intent
that the engine carries out. Sources: CloudEvents HTTP webhook 1.0 §4, Azure Event Grid "endpoint validation",
Adobe I/O Events "challenge", Amazon SNS "SubscriptionConfirmation", Salesforce "Outbound messaging".
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from tower.model.connection import Connection
from tower.model.problem import Problem
from tower.model.sns_address import is_sns

_ALLOW = "POST, OPTIONS, GET"
_VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"
_CONFIRMATION = "SubscriptionConfirmation"
_OUTBOUND = b"http://soap.sforce.com/2005/09/outbound"
_ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>"
)
_LONGEST = 4096


class _Notice(msgspec.Struct):
    """What of an Event Grid event or an SNS message matters here."""

    eventType: str = ""  # noqa: N815  # as it is on the wire
    data: msgspec.Raw = msgspec.Raw(b"{}")
    Type: str = ""
    SubscribeURL: str = ""


class _Validation(msgspec.Struct):
    validationCode: str  # noqa: N815  # as it is on the wire


_one = msgspec.json.Decoder(_Notice)
_many = msgspec.json.Decoder(list[_Notice])
_validation = msgspec.json.Decoder(_Validation)


def permission(connection: Connection, headers: Mapping[str, str]) -> Response:
    """Answer OPTIONS: the origin may send, as often as the connection's limit allows. Raises Problem 403."""
    answer = {"Allow": _ALLOW}
    origin = headers.get("webhook-request-origin", "")
    if origin:
        if connection.origins and origin.lower() not in {o.lower() for o in connection.origins}:
            raise Problem(403, "forbidden_origin", f"{origin} may not send to this connection; add it to its origins")
        per_second = connection.limits.per_second
        answer |= {
            "WebHook-Allowed-Origin": origin,
            "WebHook-Allowed-Rate": str(per_second * 60) if per_second else "*",
        }
    return Response(status_code=200, headers=answer)


def challenge(query: Mapping[str, str]) -> Response:
    """Answer GET: the challenge, as plain text that no browser takes for a page. Raises Problem 405."""
    text = query.get("challenge", "")
    if not text or len(text) > _LONGEST:
        raise Problem(
            405, "method_not_allowed", "send messages with POST; GET answers a challenge", headers={"Allow": _ALLOW}
        )
    return Response(text, media_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


def validation(headers: Mapping[str, str], body: bytes) -> Response | None:
    """Answer an Event Grid validation event, None for anything else."""
    if headers.get("aeg-event-type") != "SubscriptionValidation" and _VALIDATION.encode() not in body[:_LONGEST]:
        return None
    for notice in _notices(body):
        if notice.eventType == _VALIDATION:
            try:
                code = _validation.decode(notice.data).validationCode
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                return None
            return Response(msgspec.json.encode({"validationResponse": code}), media_type="application/json")
    return None


def confirmation(headers: Mapping[str, str], body: bytes) -> str:
    """Return the address that an SNS SubscriptionConfirmation wants called, '' for anything else.

    Raises Problem 403 for an address that is not SNS's own.
    """
    if headers.get("x-amz-sns-message-type") != _CONFIRMATION and _CONFIRMATION.encode() not in body[:_LONGEST]:
        return ""
    url = next((n.SubscribeURL for n in _notices(body) if n.Type == _CONFIRMATION), "")
    if url and not is_sns(url):
        raise Problem(403, "forbidden_address", "SubscribeURL leads to another host than Amazon SNS; it is not called")
    return url


def acknowledgement(body: bytes) -> Response | None:
    """Return the SOAP answer that a Salesforce Outbound Message needs once it is kept, None for anything else."""
    if body.lstrip()[:1] != b"<" or _OUTBOUND not in body:
        return None
    return Response(_ACK, media_type="text/xml")


def _notices(body: bytes) -> list[_Notice]:
    try:
        return _many.decode(body) if body.lstrip()[:1] == b"[" else [_one.decode(body)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return []
