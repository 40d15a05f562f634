"""Every endpoint × role × scope of the whole application, doors included, answers as the table of permissions says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.routing import BaseRoute, Route

from tests.api.whole import Call, Whole, whole_tower
from tower.api.permissions import TABLE, Permit, Scoped, Who, permit_of, place
from tower.model.principal import ROLES

SCOPES: tuple[tuple[str, ...], ...] = (
    ("partner=ACME",),
    ("company=DE01",),
    ("warehouse=HH2",),
    ("partner=ACME", "partner=OTHER", "warehouse=HH2"),
)
HOW = "write its row in tower/api/permissions.py, take `_: Caller` in the endpoint, then `make format`"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """One tower for all."""
    with whole_tower(tmp_path_factory.mktemp("permissions")) as made:
        yield made


class _One:
    """A router of one route, as an included router is one of many."""

    def __init__(self, route: BaseRoute) -> None:
        self.routes = [route]


def routes(whole: Whole) -> list[tuple[str, str]]:
    """Return (method, path) of everything that the application answers, plain doors too."""
    listed = [
        inner for r in whole.app.router.routes for inner in (getattr(r, "original_router", None) or _One(r)).routes
    ]
    found = [r for r in listed if isinstance(r, Route)]
    assert len(found) == len(listed), "a route of another kind: teach this test to look inside"
    return [(m, r.path) for r in found for m in sorted((r.methods or set()) - {"HEAD"})]


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "none", path)


def test_every_endpoint_has_a_row_and_every_row_an_endpoint(whole: Whole) -> None:
    have = {place(*route) for route in routes(whole)}
    wrong_methods = {r for r in have - set(TABLE) if f"POST {r.split(' ', 1)[1]}" in TABLE and permit_is_door(r)}
    missing = sorted(have - set(TABLE) - wrong_methods)
    assert not missing, f"nobody may ask {', '.join(missing)}: {HOW}"
    stale = sorted(name for key, (name, _) in TABLE.items() if key not in have)
    assert not stale, f"no endpoint is left for the rows {', '.join(stale)} of tower/api/permissions.py"


def permit_is_door(key: str) -> bool:
    """Whether the path is a door, which answers another method in its own words."""
    permit = permit_of("POST", key.split(" ", 1)[1])
    return permit is not None and permit.who is Who.DOOR


def test_the_document_describes_every_endpoint_with_its_methods(whole: Whole) -> None:
    document = whole.call(whole.key("viewer-None", ["viewer"]), "GET", "/openapi.json").json()
    told = {place(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert {place(*r) for r in routes(whole) if permit_of(*r) is not None} <= told
    doors = [o for p, ms in document["paths"].items() for o in ms.values() if o.get("tags") == ["doors"]]
    assert len(doors) == sum(permit.who is Who.DOOR for _, permit in TABLE.values())


def test_without_a_key_there_is_nothing_but_health(whole: Whole) -> None:
    wanted = [route for route in routes(whole) if permit_of(*route) is not None]
    for (method, path), reply in zip(wanted, whole.calls([("", m, filled(p), {}) for m, p in wanted]), strict=True):
        permit = permit_of(method, path)
        assert permit is not None
        if permit.who is Who.ANYBODY:
            assert reply.status_code in (200, 503)
        elif permit.who is Who.LINK:
            assert reply.status_code == 400, "a link says whose it is; here is none"
        elif path.startswith("/v1/ingest/"):
            assert reply.status_code == 404, "a connection proves its messages in its own way; none is called none"
        else:
            assert reply.status_code == 401, f"{method} {path}: {reply.text}"


def expected(permit: Permit, role: str, scoped: bool) -> set[str]:
    """Return the codes of refusal that will do; none: the caller is let in."""
    wrong_role = set() if permit.allows({role}) else {"forbidden"}
    wrong_scope = {"partner_scope"} if scoped and permit.scoped is Scoped.REFUSED else set()
    return wrong_role | wrong_scope


def test_every_role_and_scope_gets_what_the_table_says(whole: Whole) -> None:
    calls: list[Call] = []
    wanted: list[set[str]] = []
    turn = 0
    answered: set[tuple[str, str]] = set()
    for method, path in routes(whole):
        permit = permit_of(method, path)
        if permit is None or permit.who is not Who.KEY:
            continue
        for role in ROLES:
            turn = (turn + 1) % len(SCOPES)  # each endpoint meets every kind of scope, with one role or another
            for number, texts in ((None, ()), (turn, SCOPES[turn])):
                if role == "admin" and texts:
                    continue  # is refused when the key is made
                codes = expected(permit, role, bool(texts))
                # Who may ask is looked at before what is asked: one whole answer from each endpoint is enough.
                query = {} if codes or (method, path) not in answered else {"params": {"nonsense": "1"}}
                answered |= set() if codes else {(method, path)}
                calls.append((whole.key(f"{role}-{number}", [role], (), texts), method, filled(path), query))
                wanted.append(codes)
    wrong: list[str] = []
    for (name, method, path, _), reply, codes in zip(calls, whole.calls(calls), wanted, strict=True):
        said = reply.json().get("code") if reply.status_code in (401, 403) else None
        if not (said in codes if codes else said is None):
            wrong.append(f"{name} {method} {path}: {reply.status_code} {said}, expected {codes or 'to be let in'}")
    assert not wrong, "\n".join(wrong)
    assert len(calls) > 300
    assert any(wanted) and not all(wanted)
