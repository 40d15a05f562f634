"""`python -m dashboards`: serve the screens on the address the environment names."""

from __future__ import annotations

import sys

from dashboards.settings import SettingsError, settings


def main() -> int:
    """Serve until stopped; 2 when a setting cannot be used."""
    try:
        chosen = settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from dashboards.asgi import app

    app.run(config={"server.address": chosen.host, "server.port": chosen.port, "server.headless": True})
    return 0


if __name__ == "__main__":
    sys.exit(main())
