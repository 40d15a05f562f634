"""`tower mappings`: listing, checking and trying mappings without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tower.cli import run_line

OWN = """
mapping: shopify.order
version: 7
status: confirmed
source: our own tests
decode: {format: json}
match: body.number
emit:
  - {milestone: order_captured, occurred_at: body.at, objects: [{type: order, key: erp_order_no, expr: body.number}]}
tests:
  - name: it is an order
    input: {number: SO-1, at: "2026-03-01T10:00:00Z"}
    expect: [{milestone: order_captured, order_id: SO-1, time: "2026-03-01T10:00:00.000Z"}]
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of own sets with one mapping that replaces a shipped one."""
    (tmp_path / "own" / "shopify").mkdir(parents=True)
    (tmp_path / "own" / "shopify" / "order.yaml").write_text(OWN)
    monkeypatch.setenv("TOWER_MAPPINGS", str(tmp_path / "own"))
    return tmp_path


def test_own_mappings_replace_those_of_their_name_and_keep_the_rest(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_line(["mappings", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1].split(":")[0] for line in lines if "shopify.order@" in line] == ["shopify.order@7"]
    assert any("shopify.refund@" in line for line in lines)


def test_the_tests_inside_are_run_and_a_failing_one_is_shown(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_line(["mappings", "check", "--set", "shopify"]) == 0
    file = own / "own" / "shopify" / "order.yaml"
    file.write_text(OWN.replace("order_id: SO-1", "order_id: SO-2"))
    assert run_line(["mappings", "check", "--set", "shopify"]) == 2
    said = capsys.readouterr().out
    assert "FAIL shopify/order.yaml:11: shopify.order: it is an order" in said
    assert "'order_id': 'SO-2'" in said


def test_a_milestone_that_the_rulebook_lacks_is_named(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = own / "own" / "shopify" / "order.yaml"
    file.write_text(OWN.replace("order_captured", "order_dreamt"))
    assert run_line(["mappings", "check", "--set", "shopify"]) == 0
    assert "note: shopify/order.yaml: the rulebook has no milestone order_dreamt" in capsys.readouterr().out


def test_a_mistake_in_a_file_is_told_with_its_place(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "own" / "shopify" / "order.yaml").write_text(OWN.replace("match: body.number", "match: number"))
    assert run_line(["mappings", "check"]) == 2
    said = capsys.readouterr().err
    assert "the mappings cannot be used: 1 problem" in said
    assert "shopify/order.yaml:7: match: 'number' starts from 'number'. Hint: write body.number" in said


def test_a_message_can_be_tried(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = own / "message.json"
    message.write_text('{"number": "SO-9", "at": "2026-03-01T10:00:00Z"}')
    assert run_line(["mappings", "test", str(own / "own" / "shopify" / "order.yaml"), str(message)]) == 0
    assert '"order_id": "SO-9"' in capsys.readouterr().out
    message.write_text('{"id": 1, "created_at": "2026-03-01T10:00:00Z", "status": "success", "order_id": 5}')
    assert (
        run_line(["mappings", "test", "shopify", str(message), "--header", "X-Shopify-Topic: fulfillments/create"]) == 0
    )
    assert "shipment_confirmed" in capsys.readouterr().out
    message.write_text("{")
    assert run_line(["mappings", "test", "shopify", str(message)]) == 2
    assert "undecodable" in capsys.readouterr().out


def test_an_unknown_set_gives_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_line(["mappings", "check", "--set", "shopfy"]) == 2
    assert "did you mean 'shopify'?" in capsys.readouterr().err
