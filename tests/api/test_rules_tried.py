"""The examples of a book run beside the live store, and the SQL of one rule."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.test_door import is_problem

BOOK = """
process: {start: [order_accepted], done: [delivered], cancelled: []}
milestones:
  order_accepted: {object: order, authority: erp}
  delivered: {object: shipment, authority: tms}
stages: [{id: deliver, from: order_accepted, to: delivered, within: 2h}]
priorities: [{name: P1}]
examples:
  - {name: late, as_of: "2026-03-02T12:00:00Z", given: [{milestone: order_accepted, at: "2026-03-02T08:00:00Z", order_id: A}], expect: {findings: [{rule: deliver, kind: late, object: A}], states: {A: late}}}
  - {name: wrong, as_of: "2026-03-02T12:00:00Z", given: [{milestone: order_accepted, at: "2026-03-02T11:00:00Z", order_id: A}], expect: {states: {A: late}}}
"""


def test_examples_are_judged_beside_the_store_and_leave_nothing(api: Api) -> None:
    body = {"book": {"files": {"book.yaml": BOOK}}}
    told = api.call("POST", "/v1/rules/test", "operator", json=body).json()
    assert (told["held"], told["of"]) == (1, 2)
    late, wrong = told["examples"]
    assert (late["ok"], wrong["ok"]) == (True, False) and "on_track" in wrong["detail"]
    with api.context.store.reader() as client:
        names = [n for (n,) in client.query("SHOW DATABASES").result_rows]
        assert client.query("SELECT count() FROM events WHERE event_id LIKE '0:%'").result_rows == [(0,)]
    assert not [n for n in names if n.endswith("_examples")]
    is_problem(
        api.call("POST", "/v1/rules/test", "operator", json={"book": {"files": {"a.yaml": "nonsense: 1"}}}),
        400,
        "bad_book",
    )
    assert api.call("POST", "/v1/rules/test", "viewer", json={}).status_code == 403


def test_the_sql_of_a_rule_names_it_and_no_other_stage(api: Api) -> None:
    first, *others = [s.id for s in api.book[0].stages]
    told = api.get(f"/v1/rules/sql?rule={first}").json()
    text = "\n".join(s["sql"] for s in told["steps"])
    assert f"/* stage: {first} */" in text and not [o for o in others if f"/* stage: {o} */" in text]
    is_problem(api.get("/v1/rules/sql?rule=nothing"), 404, "unknown_rule")
