"""Colour tokens for charts, the grid and the page, one set for each appearance. Contrast checked by a test."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Tokens:
    """Hex colours of one appearance. The states also have a mark and a word everywhere they are used."""

    name: str
    background: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    selected: str
    failing: str
    late: str
    diverging: str
    unknown: str
    at_risk: str
    on_track: str
    good: str
    link: str
    heat: str
    hair: str
    groove: str

    def state(self, state: str) -> str:
        """Return the colour of an order state, of a clock's verdict or of its running state."""
        return {
            "failing": self.failing,
            "late": self.late,
            "diverging": self.diverging,
            "unknown": self.unknown,
            "at_risk": self.at_risk,
            "done": self.good,
            "on_track": self.on_track,
        }.get(state, self.muted)

    def css(self) -> dict[str, str]:
        """Return every colour by its name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}


DARK = Tokens(
    name="dark",
    background="#0d131d",
    surface="#131b29",
    raised="#1a2436",
    border="#2a3750",
    text="#e8edf6",
    muted="#9dabc2",
    accent="#4c9aff",
    on_accent="#06121f",
    selected="#1c3157",
    failing="#ff6b6b",
    late="#ffa345",
    diverging="#d79bff",
    unknown="#8fb4e8",
    at_risk="#ffd866",
    on_track="#8fd6a8",
    good="#3ddc91",
    link="#7db8ff",
    heat="#b3491d",
    hair="#1f2a3d",
    groove="#2a3750",
)
LIGHT = Tokens(
    name="light",
    background="#f6f8fb",
    surface="#ffffff",
    raised="#edf1f7",
    border="#cdd6e4",
    text="#101828",
    muted="#4a5770",
    accent="#1458c8",
    on_accent="#ffffff",
    selected="#dbe8ff",
    failing="#bf1d2c",
    late="#a04a00",
    diverging="#7a2fb5",
    unknown="#2f5f9e",
    at_risk="#7a5b00",
    on_track="#1f6b3f",
    good="#0b6f40",
    link="#1458c8",
    heat="#ff9d5c",
    hair="#e3e9f2",
    groove="#d3dbe8",
)


def tokens(appearance: str | None) -> Tokens:
    """Return the colours of the reader's appearance; dark unless the browser says light."""
    return LIGHT if appearance == "light" else DARK


def variables(prefix: str) -> str:
    """Return one CSS variable per colour. The browser picks the value by the colour scheme of the page, so a change
    of appearance shows at once, without a run of the page."""
    light, dark = LIGHT.css(), DARK.css()
    return "".join(f"--{prefix}{name}:light-dark({light[name]},{dark[name]});" for name in dark)
