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
from tower.store.client import Store

STORIES: dict[str, Callable[[World], Story]] = {
    f"{told.__name__.rpartition('.')[2]}: {name.replace('_', ' ')}": story
    for told in (asof, names, carriers, edi, native, traces)  # telemetry is stored a little later than the rest
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
def world(folder: Path) -> World:
    """Tell all stories; the tower is stopped by then."""
    settings = {
        "TOWER_BOOK": str(BOOKS / "stories"),
        "TOWER_CONNECTIONS": str(BOOKS / "stories-connections.yaml"),
        "TOWER_MAPPINGS": str(folder / "mappings"),
        "TOWER_SECRETS_DIR": str(folder / "secrets"),
        "TOWER_TICK_S": "10",  # whatever a story sends wakes the engine
        "TOWER_TRACE_URL": "http://traces.example/{trace_id}",
    }
    with Served(folder / "var", **settings) as tower, tower.client() as client:
        told = World(client, folder, tower.env, tower.together)
        tell(told, STORIES)
    return told


@pytest.mark.parametrize("name", STORIES)
def test_story(world: World, name: str) -> None:
    if (error := world.ends[name]) is not None:
        raise error


def test_a_person_is_removed_from_what_was_kept(world: World) -> None:
    """SO-2 is the customer's, SO-9 was of no use and names the customer, SO-1 is nobody's."""
    done = here("purge", "--customer", "C-17", env=world.env)
    assert done.returncode == 0, done.stderr
    store = Store(f"chdb://{world.folder / 'var' / 'store'}")
    with store.reader() as client:
        kept = dict(client.query("SELECT raw_id, body != '' FROM raw").result_rows)
        facts = client.query("SELECT customer_id FROM orders FINAL WHERE order_id = 'SO-2'").result_rows
    store.close()
    assert {order: kept[raw_id] for order, raw_id in world.raw_ids.items()} == {"SO-1": 1, "SO-2": 0, "SO-9": 0}
    assert facts == [("C-17",)], "the facts stay"
