"""Keys: tokens by hash, the first administrator. Audit: every kind of tampering shows at its place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.actions.world import T0
from tower.settings import Settings
from tower.store.audit import Audit, Entry
from tower.store.client import Store
from tower.store.keys import KeyProblem, Keys


def test_a_token_is_shown_once_and_kept_as_a_hash(store: Store) -> None:
    keys = Keys(store)
    token = keys.add("ana", ["operator"], ["wms-berlin"])
    who = keys.authenticate(f"bearer  {token}")
    assert who is not None
    assert (who.name, who.can("viewer"), who.can("admin"), who.may_send_for("wms-berlin"), who.may_send_for("x")) == (
        "ana", True, False, True, False,
    )  # fmt: skip
    with store.reader() as client:
        assert token not in str(client.query("SELECT * FROM keys").result_rows)
    assert keys.authenticate(token) is None
    assert keys.authenticate(None) is None


def test_a_name_is_used_once_until_revoked(store: Store) -> None:
    keys, other = Keys(store), Keys(store)
    first = keys.add("ana", ["viewer"])
    assert other.authenticate(f"Bearer {first}") is not None
    with pytest.raises(KeyProblem, match="exists"):
        keys.add("ana", ["viewer"])
    keys.revoke("ana")
    assert keys.authenticate(f"Bearer {first}") is None
    assert other.authenticate(f"Bearer {first}") is None
    second = keys.add("ana", ["viewer"])
    assert keys.authenticate(f"Bearer {second}") is not None
    assert keys.authenticate(f"Bearer {first}") is None
    with pytest.raises(KeyProblem, match="no live key"):
        keys.revoke("ben")


@pytest.mark.parametrize(("name", "roles"), [("", ["viewer"]), ("a b", ["viewer"]), ("ana", []), ("ana", ["root"])])
def test_a_bad_key_is_refused(store: Store, name: str, roles: list[str]) -> None:
    with pytest.raises(KeyProblem):
        Keys(store).add(name, roles)


def test_the_first_administrator_is_made_once_and_kept_with_mode_600(store: Store, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", clickhouse="")
    path = Keys(store).ensure_admin(settings)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert Keys(store).ensure_admin(settings) == path
    who = Keys(store).authenticate(f"Bearer {token}")
    assert who is not None and who.can("admin") and path.read_text().strip() == token


def test_a_given_admin_token_is_in_force_at_every_start(store: Store, tmp_path: Path) -> None:
    for token in ("one-token", "another-token"):
        keys = Keys(store)
        assert keys.ensure_admin(Settings(data_dir=tmp_path, clickhouse="", admin_token=token)) is None
        assert keys.authenticate(f"Bearer {token}") is not None
    assert keys.authenticate("Bearer one-token") is None
    assert not (tmp_path / "admin-token").exists()


@pytest.fixture
def audit(store: Store) -> Audit:
    """A chain of six in two appends."""
    chain = Audit(store)
    for half in (range(3), range(3, 6)):
        chain.append([Entry("ana", "retry", f"s{n}", "why", {"n": n, "ä": None}) for n in half], T0)
    return chain


def test_an_honest_chain_is_whole_and_an_act_is_recorded_once(audit: Audit) -> None:
    assert audit.verify() is None
    assert audit.append([Entry("ana", "retry", "s3")], T0) == 0
    assert audit.append([Entry("ana", "accepted", "s3"), Entry("ana", "accepted", "s3")], T0) == 1
    assert audit.verify() is None


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        ("ALTER TABLE audit UPDATE detail = '{}' WHERE seq = 3", 3),
        ("ALTER TABLE audit UPDATE at = at + 1 WHERE seq = 1", 1),
        ("ALTER TABLE audit DELETE WHERE seq = 4", 4),
        ("INSERT INTO audit SELECT * REPLACE ('eve' AS actor, 'x' AS hash) FROM audit WHERE seq = 5", 5),
        ("INSERT INTO audit SELECT * REPLACE (0 AS seq) FROM (SELECT * FROM audit WHERE seq = 5)", 0),
        ("ALTER TABLE audit UPDATE hash = 'ff' WHERE seq = 2", 2),
    ],
)
def test_tampering_shows_at_its_place(audit: Audit, store: Store, tamper: str, broken: int) -> None:
    with store.writer() as client:
        client.command(tamper + ("" if tamper.startswith("INSERT") else " SETTINGS mutations_sync = 2"))
    assert audit.verify() == broken
