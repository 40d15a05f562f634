"""A folder of YAML becomes a book: every documented form, the joining of files, the hash, the shipped book."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rules.check import check_folder, summary
from rules.errors import RulebookError
from rules.model import Anchor, Budget, Done, Feed, Pause, Rate
from rules.parse import SHIPPED, load_book, parse_book
from rules.read.findings import KINDS
from tests.rules.design_book import TEXT

BASE = (Path(__file__).parent / "base.yaml").read_text()


def test_every_form_of_the_architecture_page_is_taken() -> None:
    book = parse_book({"book.yaml": TEXT})
    assert book.process.done == (
        Done("delivered", "shipment"),
        Done("payment_applied", "payment"),
        Done("payment_applied", "invoice"),
    )
    captured = book.milestones["order_captured"].authority
    assert [a.kind for a in captured] == ["edi", "commerce", "crm"]
    assert captured[0].when.any_of[0][0].values == ("edi",)
    invoice, promise = book.stages
    assert (invoice.budget, invoice.at_risk, invoice.not_before_s) == (Budget(within_s=7200), Decimal("0.75"), 5)
    assert invoice.pauses == (Pause("credit_held", "credit_released"),)
    assert [(t.budget, t.calendar) for t in invoice.tiers] == [(Budget(within_s=1800), None), (None, "night")]
    assert (promise.start, promise.end) == (Anchor("order_accepted", "last"), Anchor("delivered", "complete"))
    assert (promise.budget, promise.odds) == (Budget(until="promised_at", plus_s=86400), Decimal("0.5"))
    assert (promise.at_risk, promise.per, promise.label) == (None, "order", "Promise")
    assert [f.kind for f in book.findings] == list(KINDS)
    assert book.feeds[2] == Feed("bank", cron="30 5 * * mon-fri", zone="Europe/Berlin", grace_s=3600)
    assert book.feeds[1] == Feed("legacy-erp", every_s=1800, grace_s=600)
    assert book.value.rates[1] == Rate("USD", Decimal("0.95"), "2026-07-01")
    assert (book.value.cost_per_touch, book.value.cost_of_capital) == (Decimal("12.50"), Decimal("0.08"))
    action = book.action_for("ship-to-invoice")
    assert action is not None and action.policy.max_s == 3600
    assert book.action_for("promise") is None
    assert book.routes is not None and book.routes.routes[0].receiver == "duty"
    assert book.routes.routes[0].group_by == ("stage", "system") and book.routes.routes[0].continues
    assert set(book.receivers) == {"finance", "duty"} and book.receivers["duty"].channels == ("webhook",)


def test_everything_that_is_read_is_acted_on() -> None:
    assert [str(w) for w in parse_book({"book.yaml": TEXT}).warnings if "read and not" in str(w)] == []


def test_files_join_in_the_order_of_their_names() -> None:
    more = "stages:\n  - {id: second, from: order_accepted, to: delivered, within: 2d}\n"
    book = parse_book({"z.yaml": more, "a.yaml": BASE})
    assert [s.id for s in book.stages] == ["accept-to-ship", "second"]
    assert [s.where for s in book.stages] == ["a.yaml:16", "z.yaml:2"]


def test_all_problems_are_told_at_once() -> None:
    text = (
        "stages:\n  - {id: a, from: nowhere, to: delivered, within: soon}\n  - {id: b, from: order_accepted}\nfoo: 1\n"
    )
    with pytest.raises(RulebookError) as caught:
        parse_book({"base.yaml": BASE, "bad.yaml": text})
    told = [(p.line, p.key) for p in caught.value.problems]
    assert told == [
        (2, "stages[a].from"),
        (2, "stages[a].within"),
        (3, "stages[b].to"),
        (3, "stages[b].within"),
        (4, "foo"),
    ]
    assert "bad.yaml:2: stages[a].from: unknown milestone 'nowhere'" in str(caught.value)


def test_a_mistake_in_one_entry_does_not_make_its_name_unknown() -> None:
    text = (
        "calendars:\n  night: {zone: Nowhere, open: {daily: ['22:00-06:00']}}\n"
        "stages:\n  - {id: a, from: order_accepted, to: delivered, within: 1h, calendar: night}\n"
    )
    with pytest.raises(RulebookError) as caught:
        parse_book({"base.yaml": BASE, "bad.yaml": text})
    assert [p.key for p in caught.value.problems] == ["calendars.night.zone"]


def test_the_hash_follows_the_text_and_the_resolved_dates() -> None:
    one, same = parse_book({"base.yaml": BASE}), parse_book({"base.yaml": BASE})
    assert one.hash == same.hash and len(one.hash) == 64
    assert parse_book({"base.yaml": BASE + "# a remark\n"}).hash != one.hash
    assert one.text == {"base.yaml": BASE}


def test_plain_scalars_are_read_as_yaml_1_2() -> None:
    text = (
        "calendars:\n  oslo: {zone: Europe/Oslo, open: {mon-fri: ['09:00-17:00']}, holidays: {country: NO}, "
        "closed: [2026-12-24]}\n"
        "priorities:\n  - {name: P1, when: {warehouse: no, amount: 100, company: 1000}}\n  - {name: P2}\n"
    )
    book = parse_book({"base.yaml": BASE, "more.yaml": text})
    conditions = {c.attribute: c.values for c in book.priorities[0].when.any_of[0]}
    assert conditions == {"warehouse": ("no",), "amount": ("100",), "company": ("1000",)}
    assert "oslo" in book.calendars


def test_anchors_and_aliases_are_plain_yaml() -> None:
    text = (
        "stages:\n  - {id: a, from: order_accepted, to: delivered, within: 1h, when: &big {amount: '> 5'}}\n"
        "  - {id: b, from: order_accepted, to: delivered, within: 2h, when: *big}\n"
    )
    book = parse_book({"base.yaml": BASE, "more.yaml": text})
    assert book.stages[1].when == book.stages[2].when


def test_a_document_that_holds_itself_is_refused() -> None:
    with pytest.raises(RulebookError, match="nested too deeply"):
        parse_book({"base.yaml": BASE, "more.yaml": "stages: &s\n  - *s\n"})


def test_a_folder_without_yaml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match=r"holds no \.yaml file"):
        load_book(tmp_path)
    with pytest.raises(RulebookError, match="cannot be read"):
        load_book(tmp_path / "nowhere")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RulebookError, match="UTF-8"):
        load_book(tmp_path)


def test_empty_files_and_other_files_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_text(BASE)
    (tmp_path / "empty.yml").write_text("# later\n")
    (tmp_path / "notes.txt").write_text("stages: [")
    assert load_book(tmp_path).stages[0].id == "accept-to-ship"


def test_the_shipped_book_has_no_problem_and_no_warning() -> None:
    checked = check_folder(SHIPPED)
    assert checked.ok, "\n".join(checked.problems)
    assert checked.warnings == ()
    assert checked.book is not None
    assert "75 milestones, 2 calendars, 16 stages, 8 findings" in summary(checked.book)


def test_the_shipped_book_tells_owner_runbook_and_severity_of_every_stage() -> None:
    book = load_book(SHIPPED)
    assert all(s.owner and s.runbook and s.severity and s.label and s.at_risk for s in book.stages)
    anybodys = {"integration_failed"}  # whoever did the work says whether it worked
    assert all(m.means and (m.authority or m.name in anybodys) for m in book.milestones.values())
    for action in book.actions:
        stage = book.stage(action.stage)
        assert stage is not None and action.verify.milestone == stage.end.milestone


def test_check_says_which_stages_have_no_examples(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_text(BASE)
    assert check_folder(tmp_path).warnings == ("book.yaml:16: stages[accept-to-ship]: has not got an example",)
    (tmp_path / "bad.yaml").write_text("foo: 1\n")
    checked = check_folder(tmp_path)
    assert not checked.ok and checked.problems[0].startswith("bad.yaml:1: foo: unknown key. Hint: known are")


def test_examples_know_their_rule() -> None:
    book = load_book(SHIPPED)
    example = next(e for e in book.examples if e.name == "one of two deliveries is waiting")
    assert example.expect == {
        "rule": "request-to-pick",
        "findings": [{"rule": "request-to-pick", "kind": "late", "object": "F-2"}],
        "states": {},
    }
    assert example.given[0]["order_id"] == "SO-1"
