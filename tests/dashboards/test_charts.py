"""Figures as values: what is where, in which colour, and that nothing lies over something else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards.tower_ui import charts, flow_model, theme
from dashboards.tower_ui.charts import Bar, Flow, Span
from dashboards.tower_ui.feed_model import HOUR, HourView
from tests.dashboards.fake_api import STAGES, FakeTower

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def test_a_milestone_bar_has_its_target_mark_and_its_words_beside_the_chart() -> None:
    bar = Bar("Invoicing", NOW - timedelta(hours=3), None, NOW - timedelta(hours=1), "late", "3h 00m of 2h 00m · late")
    figure = charts.milestone_bars([bar], NOW, BERLIN, theme.DARK)
    assert figure.data[0].marker.color == theme.DARK.late
    assert figure.data[0].base[0].isoformat() == "2026-11-23T10:00:00"  # the reader's wall clock
    assert figure.layout.shapes[0].x0.isoformat() == "2026-11-23T12:00:00"
    note = figure.layout.annotations[0]
    assert (note.text, note.xref) == (bar.text, "paper")
    assert note.x > 1


def test_a_bar_of_no_length_can_still_be_seen() -> None:
    bars = [Bar("a", NOW, NOW, None, "done", ""), Bar("b", NOW, NOW + timedelta(days=9), None, "done", "")]
    figure = charts.milestone_bars(bars, NOW, BERLIN, theme.DARK)
    assert figure.data[0].x[0] > 0


@pytest.mark.parametrize("bars", [[], [Bar("a", None, None, None, "", "not started")]])
def test_an_order_without_clocks_draws_without_error(bars: list[Bar]) -> None:
    charts.milestone_bars(bars, NOW, BERLIN, theme.LIGHT).to_json()


def test_running_clocks_move_on_when_it_can_be_seen() -> None:
    day = Bar("Invoicing", NOW - timedelta(days=1), None, None, "late", "1d")
    fresh = Bar("Invoicing", NOW - timedelta(seconds=30), None, None, "on_track", "30s")
    later = [NOW + timedelta(seconds=s) for s in range(600)]
    seen = [charts.standing([day], at) for at in later]
    assert seen == sorted(seen) and len(set(seen)) <= 6
    assert all(timedelta(0) <= at - shown < timedelta(days=1) / 500 for at, shown in zip(later, seen, strict=True))
    assert [charts.standing([fresh], at) for at in later] == later
    assert charts.standing([], NOW) == NOW


def test_the_waterfall_shows_errors_red_and_services_apart() -> None:
    spans = [
        Span("a", "erp", 0, 100, 0, True, "no"),
        Span("b", "wms", 10, 20, 1, False, ""),
        Span("c", "erp", 90, 10, 1, False, ""),
    ]
    figure = charts.waterfall(spans, theme.DARK)
    colours = [t.marker.color for t in figure.data]
    assert colours[0] == theme.DARK.failing
    assert len(set(colours)) == 3
    assert figure.layout.yaxis.ticktext[1].startswith("\u2003")


def test_where_an_attempt_failed_stands_out_from_what_failed_with_it() -> None:
    spans = [Span("a", "bus", 0, 100, 0, True, ""), Span("b", "erp", 10, 0.25, 1, True, "no", hop=True)]
    figure = charts.waterfall(spans, theme.DARK)
    above, hop = (t.marker.color for t in figure.data)
    assert (hop, above != hop) == (theme.DARK.failing, True)
    assert [a.text for a in figure.layout.annotations] == ["bus · 100 ms · error", "erp · 0.2 ms · failed here"]


@pytest.mark.parametrize(
    ("ms", "last"),
    [(0.5, "0.5 ms"), (4210, "4,000 ms"), (9_999, "8,000 ms"), (100_000, "100 s"), (3_600_000, "3,000 s")],
)
def test_the_waterfalls_axis_counts_in_round_steps(ms: float, last: str) -> None:
    axis = charts.waterfall([Span("a", "erp", 0, ms, 0, False, "")], theme.DARK).layout.xaxis
    assert axis.ticktext[-1] == last
    assert axis.ticktext[0].startswith("0 ")


@pytest.mark.parametrize("n", [1, 3, 16])
def test_the_flow_keeps_stages_and_branches_apart(n: int) -> None:
    flows = [Flow(f"s{i}", 900 - 50 * i, 10 + i, str(i)) for i in range(n)]
    node = charts.sankey(flows, theme.DARK).data[0].node
    stages, branches = node.y[: n + 1], node.y[n + 1 :]
    assert max(stages) < min(branches)
    assert all(0 <= v <= 1 for v in (*node.x, *node.y))
    assert list(node.x[: n + 1]) == sorted(node.x[: n + 1])


def test_the_largest_branch_is_red_and_an_empty_stage_has_none() -> None:
    figure = charts.sankey([Flow("a", 10, 1, "1"), Flow("b", 10, 5, "5"), Flow("c", 10, 0, "0")], theme.DARK)
    assert list(figure.data[0].node.color[-3:]) == [theme.DARK.late, theme.DARK.failing, theme.DARK.late]
    assert len(figure.data[0].link.source) == 5


def test_nothing_at_all_flows_without_error() -> None:
    charts.sankey([], theme.DARK).to_json()
    charts.sankey([Flow("a", 0, 0, "0")], theme.DARK).to_json()


def test_stages_are_read_in_process_order_with_exact_values() -> None:
    tower = FakeTower(orders=200)
    stages = flow_model.read_stages(tower.stages())
    assert [s.id for s in stages] == [s[0] for s in STAGES]
    for stage in stages:
        rows = [r for r in tower.rows.values() if r["stage"] == stage.id and r["state"] in flow_model.STUCK]
        assert stage.stuck == len(rows)
        assert stage.value == sum(r["value_at_risk"] for r in rows)
        assert sum(b[1] for b in stage.buckets) == stage.stuck


def test_systems_are_summed_over_errors() -> None:
    groups = [
        {"stage": "a", "system": "erp", "error": e, "count": n, "value": v}
        for e, n, v in (("x", 2, "1.10"), ("y", 3, "2.20"))
    ]
    assert [(r[2], str(r[3])) for r in flow_model.by_system(groups)] == [(5, "3.30")]


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=lambda t: t.name)
def test_text_and_states_have_enough_contrast_on_every_ground(tokens: theme.Tokens) -> None:
    """WCAG AA, 4.5 to 1, for what is read; the wall's text has 7 to 1."""
    for ground in (tokens.background, tokens.surface, tokens.raised, tokens.selected):
        for name in ("text", "muted", "failing", "late", "diverging", "unknown", "at_risk", "on_track", "good", "link"):
            assert contrast(getattr(tokens, name), ground) >= 4.5, (tokens.name, name, ground)
    assert contrast(tokens.text, tokens.background) >= 7
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


def test_hours_are_bars_over_what_was_expected() -> None:
    start = datetime(2026, 11, 23, 8, tzinfo=UTC)
    hours = [
        HourView(start, 40, 50, 30, 70, True, True),
        HourView(start + HOUR, 10, 50, 30, None, True, True),
        HourView(start + 2 * HOUR, 7, None, None, None, False, False),
    ]
    figure = charts.volume(hours, BERLIN, theme.DARK)
    band, got, middle = figure.data
    assert (list(band.base), list(band.y)) == ([30, 30, 0], [40, 0, None])
    assert (list(got.y), list(got.marker.color)) == ([40, 10, 7], [theme.DARK.good, theme.DARK.late, theme.DARK.muted])
    assert list(middle.y) == [50, 50, None]
    assert got.x[0] == datetime(2026, 11, 23, 9, 30)
    assert got.hovertext[0] == "09:00 to 10:00: 40 events, 50 expected"
    assert got.hovertext[2] == "11:00 to 12:00: 7 events, not over yet, closed"
