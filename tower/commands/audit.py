"""`tower audit`: is the record of what was done to the outside world whole?"""

from __future__ import annotations

import typer

from tower.commands.hold import hold_folder
from tower.commands.opening import opened
from tower.commands.plainly import Stop, settings_now
from tower.commands.remote import Remote, Token, Url
from tower.store.audit import Audit

app = typer.Typer(no_args_is_help=True, help="The chained record of every act.")


@app.command("verify")
def verify(url: Url = None, token: Token = None) -> None:
    """Check the whole chain; names the first row that was changed, removed or inserted."""
    settings = settings_now()
    remote = Remote.find(settings, url, token)
    if url or remote.answers():
        broken = remote.call("GET", "/v1/audit", params={"verify": "true", "limit": 1})["verified"]["first_broken"]
    else:
        with hold_folder(settings.data_dir), opened(settings) as (store, _):
            broken = Audit(store).verify()
    if broken is not None:
        raise Stop(f"the audit chain is broken at row {broken}")
    typer.echo("the audit chain is whole")
