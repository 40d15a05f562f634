"""Presets: documented requests of known systems, so that an action needs no request of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

import yaml

from rules.errors import closest
from rules.section import Section

_PLACE = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Preset:
    """One documented request. once: a second call does the work again, so it is never sent twice by itself."""

    name: str
    system: str
    request: Mapping[str, Any]
    safety: str
    repeat: str
    once: bool

    @property
    def wants(self) -> list[str]:
        """The names that the action's `with` must fill."""
        return sorted(set(_PLACE.findall(repr(self.request))))


@cache
def presets() -> Mapping[str, Preset]:
    """Return the presets that ship, by name."""
    text = (resources.files("rules.presets") / "presets.yaml").read_text(encoding="utf-8")
    return {
        name: Preset(name, p["system"], p["request"], p["safety"], p["repeat"], bool(p.get("once")))
        for name, p in yaml.safe_load(text).items()
    }


def read_preset(section: Section) -> Preset | None:
    """Return the preset an action names, None without one or for a wrong name."""
    name = section.text("preset")
    if not name:
        return None
    if name not in presets():
        section.report("preset", f"unknown preset {name!r}", closest(name, list(presets())))
        return None
    for key in ("request", "redrive"):
        if section.has(key):
            section.report(key, f"the preset {name} is a request already", f"drop {key}, or the preset")
    return presets()[name]


def filled(preset: Preset, section: Section) -> dict[str, Any]:
    """Return the preset's request with the action's `with` in it; what is missing or unknown is reported."""
    values = {name: str(value) for name, _, value in section.named("with")}
    for name in preset.wants:
        if name not in values:
            section.report("with", f"{name} is missing", f"{preset.name} needs with: {{{', '.join(preset.wants)}}}")
    for name in values:
        if name not in preset.wants:
            section.report("with", f"{preset.name} has no {name}", closest(name, preset.wants))
    in_path = {name: quote(value, safe="{}") for name, value in values.items()}
    request = {key: _fill(part, values) for key, part in preset.request.items() if key != "path"}
    return {**request, "path": _fill(preset.request["path"], in_path)}


def _fill(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _PLACE.sub(lambda match: values.get(match[1], ""), part)
    if isinstance(part, dict):
        return {key: _fill(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_fill(value, values) for value in part]
    return part
