"""`/v1/keys`: administrators make, list and end keys while the tower runs; the embedded store has no other door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import BaseRoute

from tower.api.auth import Caller
from tower.api.docs import problems
from tower.api.wire import Instant, instant
from tower.commands.replay_door import Record, entry
from tower.model.principal import ROLES
from tower.model.problem import Problem
from tower.store.keys import KeyProblem, Keys


class NewKey(BaseModel):
    """A key to make."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "anna", "roles": ["operator"], "scopes": ["warehouse=HH2"]}},
    )
    name: str
    roles: list[str] = Field(default_factory=lambda: ["viewer"], description=f"Some of {', '.join(ROLES)}.")
    connections: list[str] = Field(default_factory=list, description="Connections it may send events for; `*` is any.")
    scopes: list[str] = Field(default_factory=list, description="`partner=acme`, `company=DE01`, `warehouse=HH2`.")
    expires_at: Annotated[Instant | None, Field(description="When it ends by itself; absent: never")] = None


class Rotation(BaseModel):
    """How to change a key's token."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"overlap_s": 86400}})
    overlap_s: Annotated[int, Field(ge=0, le=31_622_400, description="How long the token before still works")] = 86_400
    expires_at: Annotated[Instant | None, Field(description="Absent: as long a life as before")] = None


class MadeKey(BaseModel):
    """A key that was made. The token is shown this once."""

    name: str
    token: str


class KeyRow(BaseModel):
    """A key as it can be shown."""

    name: str
    roles: list[str]
    connections: list[str]
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    old_until: Annotated[datetime | None, Field(description="How long the token before the last rotation works")]


class KeyList(BaseModel):
    """Every key ever made, by name."""

    keys: list[KeyRow]


def key_routes(keys: Keys, record: Record) -> list[BaseRoute]:
    """Return the routes. Each change is in the audit before it is made."""
    router = APIRouter(prefix="/v1/keys", tags=["keys"])

    @router.get("", summary="Every key ever made; tokens cannot be shown")
    def list_keys(_: Caller) -> KeyList:
        rows = [
            KeyRow(
                name=k.name,
                roles=list(k.roles),
                connections=list(k.connections),
                scopes=list(k.scopes),
                created_at=k.created_at,
                revoked_at=k.revoked_at,
                expires_at=k.expires_at,
                old_until=k.old_until,
            )
            for k in keys.list()
        ]
        return KeyList(keys=rows)

    @router.post("", status_code=201, summary="Make a key; its token is shown once", responses=problems(409, 503))
    def add(who: Caller, key: NewKey) -> MadeKey:
        record(
            [
                entry(
                    who.name, "add_key", f"key/{key.name}", roles=key.roles, connections=key.connections,
                    scopes=key.scopes, expires_at=instant(key.expires_at),
                )
            ]
        )  # fmt: skip
        try:
            token = keys.add(key.name, key.roles, key.connections, key.scopes, key.expires_at)
        except KeyProblem as error:
            raise Problem(409 if "exists" in str(error) else 400, "key_refused", str(error)) from error
        return MadeKey(name=key.name, token=token)

    @router.post("/{name}/rotate", summary="Give a key another token; it is shown once", responses=problems(404, 503))
    def rotate(who: Caller, name: Annotated[str, Path()], how: Rotation) -> MadeKey:
        record([entry(who.name, "rotate_key", f"key/{name}", overlap_s=how.overlap_s)])
        try:
            return MadeKey(name=name, token=keys.rotate(name, timedelta(seconds=how.overlap_s), how.expires_at))
        except KeyProblem as error:
            raise Problem(404 if "no live key" in str(error) else 400, "key_refused", str(error)) from error

    @router.delete("/{name}", status_code=204, summary="End a key at once", responses=problems(404, 503))
    def revoke(who: Caller, name: Annotated[str, Path()]) -> None:
        record([entry(who.name, "revoke_key", f"key/{name}")])
        try:
            keys.revoke(name)
        except KeyProblem as error:
            raise Problem(404, "no_such_key", str(error)) from error

    return list(router.routes)
