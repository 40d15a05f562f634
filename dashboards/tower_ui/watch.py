"""What one reader's session remembers of their own clicks, until each has an outcome and they were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from dashboards.tower_ui import actions, board_model, shared
from dashboards.tower_ui.actions import Answer
from dashboards.tower_ui.board_model import Outcome

if TYPE_CHECKING:
    from dashboards.tower_ui.page import Here

KEPT_CLICKS = 50
_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()#+-.!|<>$:~"})
_ICONS = {"good": ":material/check_circle:", "mixed": ":material/info:", "bad": ":material/error:"}


@dataclass(slots=True)
class Watch:
    """Clicks already acted on, orders waiting for an outcome, and the last thing said."""

    handled: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)  # order -> action id
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    say: str = ""
    batch: str = ""  # the action behind the last click, where that was about several orders
    unsaid: list[tuple[str, str]] = field(default_factory=list)
    revision: int = 0

    @staticmethod
    def here() -> Watch:
        """Return the session's own."""
        held = st.session_state.get("watch")
        if not isinstance(held, Watch):
            held = st.session_state["watch"] = Watch()
        return held

    def first(self, click: str) -> bool:
        """Return whether this gesture is new, and remember it: a click that is delivered twice acts once."""
        if click in self.handled:
            return False
        self.handled = [*self.handled[-KEPT_CLICKS:], click]
        return True

    def sent(self, here: Here, answer: Answer) -> None:
        """Say what the tower answered and wait for what becomes of the accepted ones."""
        for order in answer.accepted:
            self.waiting[order] = answer.action_id
            self.outcomes[order] = Outcome(
                answer.action_id, "requested", "", 0, "", here.viewer.name, here.now, finished_at=None
            )
        self.tell(actions.message(answer), actions.tone(answer))
        self.batch = answer.action_id if len(answer.accepted) > 1 else ""

    def tell(self, text: str, tone: str) -> None:
        """Say something in the status line and in a toast."""
        self.say = text
        self.revision += 1
        self.unsaid.append((text, tone))

    def speak(self) -> None:
        """Show what was said since the last run as toasts; from the body of a run, where elements may be drawn."""
        for text, tone in self.unsaid:
            st.toast(_plain(text), icon=_ICONS[tone], duration="long")
        self.unsaid.clear()

    def look(self, here: Here) -> None:
        """Read what became of recent actions, everyone's, and announce the own ones that were decided."""
        latest = shared.recent().read(here.api, here.viewer)
        if latest is None:
            return
        found = board_model.outcomes(latest)
        for order, action in self.waiting.items():  # asked for after the latest look of this process
            held = self.outcomes.get(order)
            if (
                held is not None
                and held.action_id == action
                and (order not in found or found[order].action_id != action)
            ):
                found[order] = held
        if found != self.outcomes:
            self.outcomes = found
            self.revision += 1
        decided = actions.news(self.waiting, found)
        if decided:
            for order in decided:
                del self.waiting[order]
            worked = all(o.state == "verified" for o in decided.values())
            self.tell(actions.news_text(decided), "good" if worked else "bad")


def _plain(text: str) -> str:
    """Return the text so that a toast shows it as it is: what comes from outside is no markdown."""
    return text.translate(_MARKDOWN)
