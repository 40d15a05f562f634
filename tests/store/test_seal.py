"""What is sealed opens with its key only, for its own id only, and the key of the data folder is nobody else's."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tower.model.secret import SecretError, Secrets
from tower.settings import Settings
from tower.store.seal import KEY_BYTES, Seal, SealError, load_seal

OLD, NEW = bytes(KEY_BYTES), bytes(range(KEY_BYTES))


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_again(body: bytes) -> None:
    seal = Seal([NEW])
    text = seal.seal("r-1", body)
    assert seal.open("r-1", text) == body
    assert seal.seal("r-1", body) != text, "the same body twice does not look the same"


def test_nothing_of_the_body_shows() -> None:
    assert b"4711" not in base64.b64decode(Seal([NEW]).seal("r-1", b"card 4711"))


def test_an_old_key_still_opens_and_the_first_one_seals() -> None:
    text = Seal([OLD]).seal("r-1", b"body")
    both = Seal([NEW, OLD])
    assert both.open("r-1", text) == b"body"
    assert Seal([NEW]).open("r-2", both.seal("r-2", b"body")) == b"body"
    with pytest.raises(SealError, match="add that key to TOWER_RAW_KEY"):
        Seal([NEW]).open("r-1", text)


@pytest.mark.parametrize(
    "spoil", [lambda t: "!" + t, lambda t: t[:-4], lambda t: t[:40] + ("A" if t[40] != "A" else "B") + t[41:]]
)
def test_a_damaged_text_is_said_so(spoil: object) -> None:
    seal = Seal([NEW])
    text = seal.seal("r-1", b"a body that is long enough")
    with pytest.raises(SealError, match="damaged"):
        seal.open("r-1", spoil(text))  # type: ignore[operator]  # one of the lambdas above
    with pytest.raises(SealError, match="damaged"):
        seal.open("r-2", text)


def test_the_key_of_the_data_folder_is_made_once_with_mode_600(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "var", "chdb://")
    text = load_seal(settings, Secrets()).seal("r-1", b"body")
    key = tmp_path / "var" / "raw-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load_seal(settings, Secrets()).open("r-1", text) == b"body"


def test_the_key_can_be_a_secret(tmp_path: Path) -> None:
    secrets = Secrets({"TOWER_SECRET_RAW": base64.b64encode(NEW).decode(), "TOWER_SECRET_BAD": "short"}, tmp_path)
    (tmp_path / "old").write_text(base64.b64encode(OLD).decode() + "\n")
    both = load_seal(Settings(tmp_path, "chdb://", raw_key="env:TOWER_SECRET_RAW, file:old"), secrets)
    assert both.open("r-1", Seal([OLD]).seal("r-1", b"body")) == b"body"
    assert not (tmp_path / "raw-key").exists()
    for reference, said in (
        ("env:TOWER_SECRET_BAD", "openssl rand -base64 32"),
        ("env:TOWER_SECRET_NONE", "is not set"),
    ):
        with pytest.raises(SecretError, match=said):
            load_seal(Settings(tmp_path, "chdb://", raw_key=reference), secrets)
