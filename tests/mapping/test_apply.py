"""What mappings make of documents: objects and their names, links, times, identity, loops, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector.mapping import Context, Mapped, MappingFailed, System, apply
from collector.mapping.check import facts, invalid
from collector.mapping.mapping_set import MAX_DOCUMENTS, MAX_UNKNOWN
from collector.mapping.model import MappingFile
from collector.mapping.read import read_mapping

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEAD = """
mapping: acme.thing
version: 3
status: confirmed
source: our own tests
decode: {format: json}
match: "`true`"
"""
ORDER = "[{type: order, key: erp_order_no, expr: body.id}]"


def mapping(text: str) -> MappingFile:
    read, problems = read_mapping("acme/thing.yaml", HEAD + text)
    assert problems == []
    assert read is not None
    return read


def context(**given: Any) -> Context:
    return Context("erp-1", "erp", "/erp/one", **{"received_at": NOON, "zone": "Europe/Berlin", **given})


def emit(text: str, body: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    """Return the events, flat, of one emit on an order placed at body.at."""
    lines = "\n".join(f"    {line}" for line in text.strip().splitlines())
    if "occurred_at" not in text:
        lines += "\n    occurred_at: body.at"
    if "objects" not in text:
        lines += f"\n    objects: {ORDER}"
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", **body}
    found = apply(mapping(f"emit:\n  - milestone: order_captured\n{lines}\n"), body, context(**given))
    assert [told for mapped in found if (told := invalid(mapped))] == []
    return [facts(mapped) for mapped in found]


def ids(text: str, *bodies: dict[str, Any], **given: Any) -> list[str]:
    found: list[Mapped] = []
    for body in bodies:
        found += apply(mapping(text), body, context(**given))
    return [mapped.event["id"] for mapped in found]


# Objects -------------------------------------------------------------------------------------------------------------

NAMES = """
objects:
  - type: order
    names:
      - {key: customer_po, expr: body.po}
      - {key: erp_order_no, expr: body.erp}
      - {key: commerce_order_id, expr: body.shop}
attributes: {customer_id: body.customer}
"""


def test_the_name_that_can_be_trusted_most_is_the_id_and_the_others_are_aliases() -> None:
    (found,) = emit(NAMES, {"po": "po  1", "erp": "SO-1", "shop": 7, "customer": "C-42"})
    assert found["order_id"] == "SO-1"
    assert found["links"] == (
        "order:customer_po:C-42/PO 1 weak_alias order:SO-1",
        "order:commerce_order_id:erp-1/7 alias order:SO-1",
    )


def test_a_weak_name_is_the_id_where_it_is_the_only_one() -> None:
    (found,) = emit(NAMES, {"po": "po 1", "customer": "C-42"})
    assert (found["order_id"], "links" in found) == ("customer_po:C-42/PO 1", False)


def test_a_name_without_its_scope_is_not_used() -> None:
    (found,) = emit(NAMES, {"po": "po 1", "shop": 7})
    assert (found["order_id"], "links" in found) == ("commerce_order_id:erp-1/7", False)


def test_a_connection_says_whose_ids_it_repeats() -> None:
    (found,) = emit(NAMES, {"erp": "SO-1", "shop": 7}, codes={"scope": {"commerce_order_id": "shop-eu"}})
    assert found["links"] == ("order:commerce_order_id:shop-eu/7 alias order:SO-1",)


def test_carriers_have_one_word() -> None:
    text = "objects: [{type: shipment, key: tracking_no, expr: body.no, scope: body.carrier}]"
    found = [emit(text, {"no": " 1z 1 ", "carrier": c})[0]["shipment_id"] for c in ("UPSN", "ups", "U.P.S.", "Fast")]
    assert found == ["tracking_no:UPS/1Z1", "tracking_no:UPS/1Z1", "tracking_no:UPS/1Z1", "tracking_no:FAST/1Z1"]


def test_a_list_names_several_objects() -> None:
    (found,) = emit("objects: [{type: order, key: erp_order_no, expr: body.ids}]", {"ids": ["A", "B", "A", None]})
    assert found["order_id"] == ("A", "B")


def test_a_list_of_objects_with_further_names_needs_a_loop() -> None:
    text = "objects: [{type: order, key: erp_order_no, expr: body.ids, names: [{key: crm_order_no, expr: body.c}]}]"
    with pytest.raises(MappingFailed, match="use foreach"):
        emit(text, {"ids": ["A", "B"], "c": "C"})


def test_objects_of_one_loop_are_linked_round_by_round() -> None:
    text = """
objects:
  - {type: invoice, key: invoice_no, expr: body.no}
  - {type: fulfillment, key: delivery_no, foreach: body.items, expr: item.delivery}
  - {type: order, key: erp_order_no, foreach: body.items, expr: item.order}
links: [{from: fulfillment, to: order, relation: fulfills}]
"""
    (found,) = emit(text, {"no": "I-1", "items": [{"delivery": "D1", "order": "O1"}, {"delivery": "D2", "order": "O2"},
                                                  {"delivery": "D1", "order": "O3"}]})  # fmt: skip
    assert found["links"] == (
        "fulfillment:D1 fulfills order:O1",
        "fulfillment:D2 fulfills order:O2",
        "fulfillment:D1 fulfills order:O3",
    )


def test_two_lists_without_a_common_loop_cannot_be_linked() -> None:
    text = """
objects:
  - {type: fulfillment, key: delivery_no, expr: body.d}
  - {type: order, key: erp_order_no, expr: body.o}
links: [{from: fulfillment, to: order}]
"""
    assert emit(text, {"d": ["D1", "D2"], "o": ["O1"]})[0]["links"] == (
        "fulfillment:D1 order:O1",
        "fulfillment:D2 order:O1",
    )
    with pytest.raises(MappingFailed, match="several fulfillment and several order"):
        emit(text, {"d": ["D1", "D2"], "o": ["O1", "O2"]})


def test_a_link_may_be_taken_back_and_tie_two_objects_of_one_type() -> None:
    text = """
objects:
  - {type: order, key: erp_order_no, expr: body.id}
  - {type: order, key: erp_order_no, expr: body.old, as: old}
links: [{from: order, to: old, relation: replaces, retract: true}]
"""
    assert emit(text, {"old": "SO-0"})[0]["links"] == ("order:SO-1 replaces order:SO-0 retract",)


# Values --------------------------------------------------------------------------------------------------------------


def test_attributes_are_exact_and_take_the_connections_defaults() -> None:
    text = "attributes: {amount: {expr: body.cents, transform: minor_units}, quantity: body.q}"
    (found,) = emit(text, {"cents": 1999, "q": "2.50"}, currency="JPY", company="DE01")
    assert (found["amount"], found["currency"], found["quantity"], found["company"]) == ("1999", "JPY", "2.5", "DE01")
    text = "attributes: {amount: {expr: body.cents, transform: minor_units}, currency: body.cur}"
    (found,) = emit(text, {"cents": 1999, "cur": "kwd"}, currency="JPY")
    assert (found["amount"], found["currency"]) == ("1.999", "KWD")


@pytest.mark.parametrize(
    ("attributes", "body", "says"),
    [
        ("{amount: body.a}", {"a": "12,50"}, "emit[order_captured].attributes.amount: body.a: '12,50' is no number"),
        ("{amount: body.a}", {"a": "0.1234567"}, "24 digits before the point and 6 after it"),
        ("{currency: body.a}", {"a": "EURO"}, "'EURO' is no currency of three letters"),
        ("{customer_id: body.a}", {"a": {"x": 1}}, "{'x': 1} is no text"),
        ("{customer_id: body.a}", {"a": "x" * 300}, "has over 256 characters"),
        ("{promised_at: body.a}", {"a": "soon"}, "'soon' is no ISO 8601 date or time"),
        ("{channel: 'join(`1`, body.a)'}", {"a": "x"}, "join"),
        ("{channel: body.a}", {"id": True, "a": "x"}, "True names nothing"),
    ],
)
def test_a_value_that_cannot_be_used_names_key_expression_and_value(
    attributes: str, body: dict[str, Any], says: str
) -> None:
    with pytest.raises(MappingFailed) as caught:
        emit(f"attributes: {attributes}", body)
    assert says in str(caught.value)


def test_an_xml_element_with_attributes_counts_as_its_text() -> None:
    text = "objects: [{type: order, key: erp_order_no, expr: body.no}]\nattributes: {amount: body.total, channel: body.empty}"
    body = {
        "no": [{"@lid": "x", "#text": "A"}, "B"],
        "total": {"@currencyID": "EUR", "#text": "2.50"},
        "empty": {"@a": "1"},
    }
    (found,) = emit(text, body, currency="EUR")
    assert (found["order_id"], found["amount"], found.get("channel", "")) == (("A", "B"), "2.5", "")


def test_a_milestone_may_follow_from_a_table_with_its_polarity() -> None:
    text = """
emit:
  - foreach: body.scans
    milestone:
      expr: item.code
      transform: {lookup: {table: {D: delivered, X: delivered.reversed, F: delivered.failed}, unknown: drop}}
    occurred_at: item.at
    objects: [{type: shipment, key: shipment_no, expr: body.no}]
"""
    body = {"no": "S", "scans": [{"code": c, "at": "2026-03-01T10:00:00Z"} for c in "DXF?"]}
    found = [facts(m) for m in apply(mapping(text), body, context())]
    assert [(f["milestone"], f["polarity"]) for f in found] == [
        ("delivered", "reached"),
        ("delivered", "reversed"),
        ("delivered", "failed"),
    ]


def test_loops_nest_and_see_what_is_around_them() -> None:
    text = """
emit:
  - milestone: line_rejected
    foreach: [body.orders, item.groups, item.lines]
    when: item.bad
    occurred_at: grandparent.at
    objects:
      - {type: order_line, key: erp_order_line, expr: "[grandparent.no, parent.code, to_string(index)]", transform: {join: "/"}}
    attributes: {warehouse: parent.site}
    further: {sku: item.sku}
"""
    lines = [{"sku": "A"}, {"sku": "B", "bad": True}]
    body = {"orders": [{"no": "O1", "at": "2026-03-01", "groups": [{"code": "g", "site": "BER", "lines": lines}]}]}
    (found,) = [facts(m) for m in apply(mapping(text), body, context())]
    assert (found["order_line_id"], found["warehouse"], found["sku"]) == ("O1/g/1", "BER", "B")


def test_a_single_object_counts_as_a_list_of_one_and_nothing_as_none() -> None:
    text = "foreach: body.lines\nobjects: [{type: order, key: erp_order_no, expr: item.no}]"
    assert [f["order_id"] for f in emit(text, {"lines": {"no": "A"}})] == ["A"]
    assert emit(text, {"lines": None}) == []
    assert emit(text, {}) == []


# Times ---------------------------------------------------------------------------------------------------------------


def test_the_first_choice_with_a_value_counts() -> None:
    text = "occurred_at: [body.a, {expr: body.b, parse: yyyymmdd}, received]"
    assert emit(text, {"a": "2026-03-01T10:00:00Z", "b": "20260302"})[0]["time"] == "2026-03-01T10:00:00.000Z"
    (day,) = emit(text, {"b": "20260302"})
    assert (day["time"], day["time_precision"]) == ("2026-03-02T22:59:59.999Z", "day")
    (came,) = emit(text, {})
    assert (came["time"], came["time_basis"]) == ("2026-06-01T12:00:00.000Z", "received")


def test_a_time_that_is_there_and_wrong_is_not_passed_over() -> None:
    with pytest.raises(MappingFailed, match="'soon' is no ISO 8601"):
        emit("occurred_at: [body.a, received]", {"a": "soon"})


def test_a_message_without_any_of_its_times_says_so() -> None:
    with pytest.raises(MappingFailed, match="the message tells no time"):
        emit("occurred_at: body.a", {})


def test_a_day_ends_with_the_message_that_tells_it() -> None:
    text = "occurred_at: {expr: body.day, not_after: {expr: body.written}}"
    (found,) = emit(text, {"day": "2026-03-01", "written": "2026-03-01T14:05:00+01:00"})
    assert (found["time"], found["time_precision"], found["time_note"]) == (
        "2026-03-01T13:05:00.000Z",
        "day",
        "not_over",
    )
    (found,) = emit(text, {"day": "2026-03-01", "written": "2026-03-05T14:05:00+01:00"})
    assert (found["time"], "time_note" in found) == ("2026-03-01T22:59:59.999Z", False)


def test_a_day_that_is_not_over_ends_when_the_message_comes() -> None:
    (found,) = emit("occurred_at: body.day", {"day": "2026-06-01"})
    assert (found["time"], found["time_basis"], found["time_note"]) == (
        "2026-06-01T12:00:00.000Z",
        "received",
        "not_over",
    )


def test_a_midnight_that_stands_for_its_day_ends_with_it() -> None:
    text = "occurred_at: {expr: body.day, precision: day}"
    assert emit(text, {"day": "2026-03-01T00:00:00Z"})[0]["time"] == "2026-03-01T22:59:59.999Z"


def test_the_zone_may_stand_in_the_message() -> None:
    text = "occurred_at: {expr: '[body.d, body.t]', parse: yyyymmdd, zone: {expr: body.z}}"
    (found,) = emit(text, {"d": "20260301", "t": "1000", "z": "PT"})
    assert (found["time"], found["time_precision"]) == ("2026-03-01T18:00:00.000Z", "minute")
    (found,) = emit(text, {"d": "20260301", "t": "1000", "z": "??"})
    assert (found["time"], found["time_note"]) == ("2026-03-01T09:00:00.000Z", "unknown_zone")
    assert emit(text, {"d": "20260301", "t": "1000"})[0]["time"] == "2026-03-01T09:00:00.000Z"


# Identity ------------------------------------------------------------------------------------------------------------

STATE = f"""
emit:
  - {{milestone: order_captured, occurred_at: [body.at, received], objects: {ORDER}, attributes: {{amount: body.total}}}}
"""
KEYED = STATE + "event_key: [body.event, body.part]\n"


def test_the_same_state_is_the_same_event_and_a_changed_one_another() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", "total": "5.00"}
    same = ids(STATE, body, {**body, "at": "2026-03-01T11:00:00+01:00", "total": "5"}, {**body, "other": 1})
    assert len(set(same)) == 1
    assert ids(STATE, {**body, "total": "6"})[0] not in same


def test_an_event_key_names_the_event_whatever_else_it_says() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", "event": "E1", "part": 1}
    assert len(set(ids(KEYED, body, {**body, "total": "9"}))) == 1
    assert len(set(ids(KEYED, body, {**body, "part": 2}))) == 2


def test_an_emit_may_do_without_the_event_key_of_its_file() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", "event": "E1", "part": 1}
    own = STATE.replace("occurred_at:", "event_key: [], occurred_at:") + "event_key: [body.event, body.part]\n"
    assert len(set(ids(own, body, {**body, "event": "E2"}))) == 1


def test_an_event_key_with_a_part_missing_is_none() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", "event": "E1"}
    assert ids(KEYED, body) == ids(STATE, body)


def test_two_arrivals_without_a_time_are_two_reports_and_one_arrival_is_one() -> None:
    body = {"id": "SO-1", "event": "E1", "part": 1}
    first = ids(KEYED, body, body)
    later = ids(KEYED, body, received_at=NOON + timedelta(seconds=1))
    assert len(set(first)) == 1
    assert later[0] not in first


def test_the_same_event_of_another_connection_is_another() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z"}
    other = Context("erp-2", "erp", "/erp/two", NOON)
    assert apply(mapping(STATE), body, other)[0].event["id"] not in ids(STATE, body)


def test_two_rounds_that_would_be_one_event_with_two_contents_are_a_mistake() -> None:
    text = f"""
emit:
  - milestone: order_captured
    foreach: body.lines
    event_key: body.id
    occurred_at: body.at
    objects: {ORDER}
    attributes: {{quantity: item.q}}
"""
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z"}
    assert len(apply(mapping(text), {**body, "lines": [{"q": 1}, {"q": 1}]}, context())) == 1
    with pytest.raises(MappingFailed, match="two events of one message"):
        apply(mapping(text), {**body, "lines": [{"q": 1}, {"q": 2}]}, context())


def test_version_and_trace_travel_with_the_event() -> None:
    body = {"id": "SO-1", "at": "2026-03-01T10:00:00Z", "rev": 7}
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    (found,) = apply(mapping(STATE + "source_version: body.rev\n"), body, context(headers={"traceparent": trace}))
    assert (found.event["sequence"], found.event["traceparent"]) == ("7", trace)


# Sets ----------------------------------------------------------------------------------------------------------------


def other(name: str, match: str, text: str) -> MappingFile:
    head = HEAD.replace("acme.thing", name).replace('"`true`"', f'"{match}"')
    read, problems = read_mapping(f"acme/{name}.yaml", head + text)
    assert problems == []
    assert read is not None
    return read


def test_the_first_mapping_that_matches_reads_the_document() -> None:
    one = other("one", "starts_with(body.kind, 'a')", "ignore: nothing in it\n")
    two = other("two", "body.kind == 'b'", "refuse: {reason: unresolved, detail: it names a link only}\n")
    system = System("acme", [one, two, other("three", "body.id", STATE)])
    body = b'[{"kind":"a"},{"kind":"b"},{"id":"SO-1","at":"2026-03-01T10:00:00Z"},{"what":1},{"id":"X","at":"soon"}]'
    found = list(system.outcomes(body, context()))
    assert [(o.position, o.reason, o.ignored, len(o.events)) for o in found] == [
        ("$[0]", "", "nothing in it", 0),
        ("$[1]", "unresolved", "", 0),
        ("$[2]", "", "", 1),
        ("$[3]", "unmapped_payload", "", 0),
        ("$[4]", "mapping_failed", "", 0),
    ]
    assert found[2].mapping.startswith("three@3:")
    assert len(found[2].mapping) == len("three@3:") + 8
    assert found[3].detail == "no mapping of the set acme knows it; it holds what"
    assert "acme/three.yaml: emit[order_captured].occurred_at[0]: body.at: 'soon'" in found[4].detail


def test_many_documents_that_no_mapping_knows_become_one_row_and_no_known_one_is_passed_over() -> None:
    system = System("acme", [other("three", "body.id", STATE)])
    known = b'{"id":"SO-1","at":"2026-03-01T10:00:00Z"}'
    found = list(system.outcomes(b"[" + b'{"what":1},' * 500 + known + b"]", context()))
    assert [o.reason for o in found] == ["unmapped_payload"] * MAX_UNKNOWN + ["", "unmapped_payload"]
    assert len(found[-2].events) == 1
    assert found[-1].detail.startswith(f"{500 - MAX_UNKNOWN} further documents")
    assert found[-1].position == "$[499]"


def test_a_list_of_too_many_documents_is_refused_whole() -> None:
    system = System("acme", [other("three", "body.id", STATE)])
    known = b'{"id":"SO-1","at":"2026-03-01T10:00:00Z"}'
    (outcome,) = system.outcomes(b"[" + known + b",{}" * MAX_DOCUMENTS + b"]", context())
    assert (outcome.reason, outcome.events) == ("unmapped_payload", ())
    assert "send it in parts" in outcome.detail


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("foreach: body.many\nevent_key: index", "over 5000 events of one document"),
        ("foreach: body.many\nevent_key: body.id", "over 5000 events of one document"),
        ("objects: [{type: order, key: erp_order_no, expr: body.ids}]", "over 4000 objects in one event"),
        ("objects: [{type: order, key: erp_order_no, expr: 'body.many[].same'}]", "over 4000 objects in one event"),
        ("objects: [{type: order, key: erp_order_no, expr: 'body.ids[:1500]'}]", "1500 objects, 1000 at most"),
        ("foreach: [body.many, body.many]\nwhen: item.nope", "over 5000000 steps; send it in parts"),
        (
            "foreach: body.many\nevent_key: index\nreason: '[item.same, body.ids[]][] | [0]'",
            "over 5000000 steps; send it in parts",
        ),
    ],
)
def test_what_is_no_message_of_one_business_event_is_refused(text: str, says: str) -> None:
    body = {"many": [{"same": "A"}] * 20_001, "ids": [f"A{i}" for i in range(20_001)]}
    with pytest.raises(MappingFailed, match=says):
        emit(text, body)


def test_a_set_of_several_formats_takes_the_one_that_reads_and_knows_the_message() -> None:
    xml = HEAD.replace("acme.thing", "xml").replace("format: json", "format: xml").replace('"`true`"', "body.Order")
    text = (
        xml
        + "emit: [{milestone: order_captured, occurred_at: body.Order.At, objects: [{type: order, key: erp_order_no, expr: body.Order.No}]}]"
    )
    read, problems = read_mapping("acme/xml.yaml", text)
    assert problems == []
    assert read is not None
    system = System("acme", [other("json", "body.id", STATE), read])
    (outcome,) = system.outcomes(b"<Order><No>7</No><At>2026-03-01T10:00:00Z</At></Order>", context())
    assert outcome.events[0].event["data"]["order_id"] == "7"
    (outcome,) = system.outcomes(b"<Other/>", context())
    assert outcome.reason == "unmapped_payload"
    (outcome,) = system.outcomes(b"\x00\x01", context())
    assert (outcome.reason, outcome.position) == ("undecodable", "byte 0")
    (outcome,) = system.outcomes(b"[]", context())
    assert (outcome.reason, outcome.ignored) == ("", "the message holds no document")


def test_what_is_looked_up_outside_the_item_is_found_once_for_all_of_them() -> None:
    body = {"many": [{"same": "A"}] * 4_000, "ids": [f"A{i}" for i in range(20_001)]}
    found = emit("foreach: body.many\nevent_key: index\nreason: body.ids[].to_string(@) | [7]", body)
    assert {event["reason"] for event in found} == {"A7"}
    assert len(found) == 4_000
