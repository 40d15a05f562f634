"""What is covered before a message is shown: secrets, people, in every form a body may have, whole or cut off."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.amount import SEEDS
from tower.model.hide import HIDDEN, hide_person, hide_secrets, tells_of_person

PAYLOADS = Path(__file__).parents[3] / "shared" / "data" / "payloads"
H = HIDDEN


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"api_key": "abc", "id": 7}', f'{{"api_key": "{H}", "id": 7}}'),
        ('{"X-Auth-Token":"a\\"b","x":1}', f'{{"X-Auth-Token":"{H}","x":1}}'),
        ('{"clientSecret": "cut o', f'{{"clientSecret": "{H}"'),
        ("<h><wsse:Password Type='t'>pw</wsse:Password><Id>7</Id></h>", f"<h><wsse:Password Type='t'>{H}</wsse:Password><Id>7</Id></h>"),
        ('<call sessionId="123"/>', f'<call sessionId="{H}"/>'),
        ("user=7&access_token=abc123&x=1", f"user=7&access_token={H}&x=1"),
        ("Authorization: Bearer abcdefghijkl", f"Authorization: {H}"),
        ('{"note": "key sk_live_51abcdefgh"}', f'{{"note": "key {H}"}}'),
        ('{"order_id": "SO-1", "signature_required": false}', '{"order_id": "SO-1", "signature_required": false}'),
    ],
)  # fmt: skip
def test_secrets_are_covered_by_their_names_and_by_their_looks(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"email": "a@b.example", "firstName": "Ann", "order_id": "SO-1"}', f'{{"email": "{H}", "firstName": "{H}", "order_id": "SO-1"}}'),
        ('{"shipping_address": {"address1": "Main St 1", "zip": 10115, "country": "DE"}}', f'{{"shipping_address": {{"address1": "{H}", "zip": "{H}", "country": "DE"}}}}'),
        ('{"text": "call +49 30 1234567 or mail x.y@z.example"}', f'{{"text": "call {H} or mail {H}"}}'),
        ('{"remark": "cut of', f'{{"remark": "{H}"'),
        ('{"iban": "x", "ref": "DE89 3704 0044 0532 0130 00", "doc": "DE00 3704 0044 0532 0130 00"}', f'{{"iban": "{H}", "ref": "{H}", "doc": "DE00 3704 0044 0532 0130 00"}}'),
        ("<O><ShipTo><Name>Ann</Name><City>Ulm</City></ShipTo><ItemName>Bolt</ItemName></O>", f"<O><ShipTo><Name>{H}</Name><City>{H}</City></ShipTo><ItemName>Bolt</ItemName></O>"),
        ("UNA:+.? 'UNB+UNOC:3+A+B+1+9'NAD+BY+4711::9++ACME GMBH+MAIN 1+ULM'QTY+1:2'", f"UNA:+.? 'UNB+UNOC:3+A+B+1+9'NAD+BY+4711::9++{H}+{H}+{H}'QTY+1:2'"),
        ("order;Customer Name;qty\n1;\"Doe; Ann\";2\n2;Bob\n\n3;;4\n", f"order;Customer Name;qty\n1;{H};2\n{H}\n\n3;;4\n"),
        ("just some words of Ann", H),
        ("", ""),
        (" \n", " \n"),
    ],
)  # fmt: skip
def test_what_tells_of_a_person_is_covered_and_ids_are_not(text: str, shown: str) -> None:
    assert hide_person(text) == shown


def test_x12_is_covered_whatever_ends_its_segments() -> None:
    head = "ISA*00*          *00*          *ZZ*ACME           *ZZ*US             *260301*1200*U*00401*000104210*0*P*>"
    for end in ("~", "\n", "\r\n", "~\r\n", "'"):
        text = end.join([head, "ST*940*0001", "N1*ST*ANN DOE*92*0012", "N3*MAIN 1", "N4*ULM*BW*89073*DE", "LX*1", ""])
        shown = hide_person(text)
        assert "ANN" not in shown and "MAIN" not in shown and "ULM" not in shown, repr(end)
        assert f"N1*ST*{H}*92*0012" in shown and "LX*1" in shown and "000104210" in shown, repr(end)


@pytest.mark.parametrize("name", ["name", "Name1", "customerName", "ship_to_name", "E-Mail", "phone_number", "zipCode"])
def test_names_of_fields_that_tell_of_people(name: str) -> None:
    assert tells_of_person(name)


@pytest.mark.parametrize(
    "name", ["eventName", "sku_name", "order_id", "ship", "tracking_number", "city_rate", "recipe"]
)
def test_names_of_fields_that_do_not(name: str) -> None:
    assert not tells_of_person(name)


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the payloads of other people are not on this machine")
def test_people_in_the_payloads_of_others_are_covered() -> None:
    """Every value under a telling key of the JSON samples, of any depth, is gone; the JSON is still JSON."""
    seen = 0
    for path in sorted(PAYLOADS.rglob("*.json")):
        text = path.read_text()
        shown = hide_person(hide_secrets(text))
        kept = json.loads(shown)
        for key, value in _plain(kept):
            if tells_of_person(key) and value not in (None, "", True, False):
                assert value == HIDDEN, (path.name, key)
                seen += 1
        assert "@" not in shown or "@example" not in shown, path.name
    assert seen > 300


def _plain(value: object, key: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [found for k, v in value.items() for found in _plain(v, k)]
    if isinstance(value, list):
        return [found for v in value for found in _plain(v, "")]
    return [(key, value)]


@settings(max_examples=80 * SEEDS, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["", "{", "<a ", "ISA*", "UNB+", "name;id\n", '{"name": "', "eyJ"]))
def test_any_text_is_covered_without_a_fault_and_covering_twice_changes_nothing(text: str, start: str) -> None:
    once = hide_person(hide_secrets(start + text))
    assert hide_person(hide_secrets(once)) == once


@pytest.mark.parametrize(
    "text",
    ['{"' * 60_000, '"a":' * 50_000, "eyJ" * 80_000, "a-" * 120_000, "<a " + " b=" * 80_000, "ISA*" + "A" * 250_000, "x@" * 120_000,
     "+1" * 120_000, "AB12" * 60_000, "name,id\n" + ',"' * 120_000, "{" + "token=" * 40_000, "<" * 250_000, '{"a' + "\\" * 250_000],
)  # fmt: skip
def test_nothing_takes_long(text: str) -> None:
    """A body is shown up to 256 KiB; the worst of them in well under two seconds."""
    began = time.process_time()
    hide_person(hide_secrets(text))
    assert time.process_time() - began < 2
