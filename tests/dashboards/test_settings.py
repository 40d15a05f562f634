"""What the dashboards are started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.settings import SETTINGS, SettingsError, read_settings

DOCS = Path(__file__).parents[2] / "docs" / "dashboards.md"


def test_without_any_variable_the_defaults_hold() -> None:
    found = read_settings({})
    assert (found.api_url, found.host, found.port, found.dash_key) == ("http://127.0.0.1:8080", "127.0.0.1", 8501, "")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TOWER_API_URL", "localhost:8080", "write an address"), ("TOWER_DASH_PORT", "http", "write a number"),
        ("TOWER_DASH_PORT", "70000", "0 to 65535"), ("TOWER_DASH_REFRESH_S", "0", "1 to 3600"),
        ("TOWER_DASH_SECURE_COOKIE", "maybe", "neither true nor false"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_says_what_to_write(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        read_settings({name: value})
    assert name in str(caught.value)


def test_the_key_does_not_show_in_the_text_form() -> None:
    assert "s3cret" not in repr(read_settings({"TOWER_DASH_KEY": "s3cret"}))


def test_every_setting_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [s.name for s in SETTINGS if f"`{s.name}`" not in text] == []
