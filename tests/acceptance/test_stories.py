"""What a whole tower makes of its senders' words. The stories are told side by side; each test is the end of one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.events import BOOKS
from tests.acceptance.stories import asof, carriers, edi, names, native, traces
from tests.acceptance.telling import SECRET, Story, World, tell
from tests.commands.process import here
from tests.commands.served import Served

STORIES: dict[str, Callable[[World], Story]] = {
    f"{told.__name__.rpartition('.')[2]}: {name.replace('_', ' ')}": story
    for told in (asof, names, carriers, edi, traces, native)
    for name, story in vars(told).items()
    if inspect.isgeneratorfunction(story)
}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tower, with the secret that its connections share and a mapping of one's own."""
    made = tmp_path_factory.mktemp("stories")
    (made / "secrets").mkdir()
    (made / "secrets" / "native").write_text(SECRET)
    native.mend(made, 1, "body.at")
    return made


@pytest.fixture(scope="module")
def settings(folder: Path) -> dict[str, str]:
    """Return what the tower is started with."""
    return {
        "TOWER_BOOK": str(BOOKS / "stories"),
        "TOWER_CONNECTIONS": str(BOOKS / "stories-connections.yaml"),
        "TOWER_MAPPINGS": str(folder / "mappings"),
        "TOWER_SECRETS_DIR": str(folder / "secrets"),
        "TOWER_TRACE_URL": "http://traces.example/{trace_id}",
    }


@pytest.fixture(scope="module")
def world(folder: Path, settings: dict[str, str]) -> World:
    """Tell all stories; the tower is stopped by then."""
    with Served(folder / "var", **settings) as tower, tower.client() as client:
        told = World(client, folder, tower.env)
        tell(told, STORIES)
    return told


@pytest.mark.parametrize("name", STORIES)
def test_story(world: World, name: str) -> None:
    if (error := world.ends[name]) is not None:
        raise error


def test_a_person_is_removed_from_what_was_kept(world: World, folder: Path, settings: dict[str, str]) -> None:
    """SO-2 is the customer's, SO-9 was of no use and names the customer, SO-1 is nobody's."""
    done = here("purge", "--customer", "C-17", env=world.env)
    assert done.returncode == 0, done.stderr
    with Served(folder / "var", **settings) as tower, tower.client() as client:
        rows = client.get("/v1/raw", params={"connection": "own"}).json()["raw"]
        kept = {row["raw_id"]: row["has_body"] for row in rows}
        assert {order: kept[raw_id] for order, raw_id in world.raw_ids.items()} == {
            "SO-1": True,
            "SO-2": False,
            "SO-9": False,
        }
        assert client.get(f"/v1/raw/{world.raw_ids['SO-2']}").json()["code"] == "body_gone"
        assert client.get("/v1/orders/SO-2").json()["customer_id"] == "C-17", "the facts stay"
