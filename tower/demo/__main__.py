"""`python -m tower.demo`: the simulated middleware as a process of its own."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from tower.demo.middleware import MiddlewareConfig, create_middleware
from tower.telemetry import configure_logs


def main() -> None:
    """Serve the retry door and run the world until stopped."""
    options = _options()
    configure_logs()
    config = MiddlewareConfig(
        tower_url=options.tower.rstrip("/"),
        token=options.token_file.read_text().strip(),
        secret=options.secret_file.read_text().strip(),
        seed=options.seed,
        orders_per_s=options.rate,
        history=timedelta(seconds=options.history_s),
        shift_token=options.shift_token_file.read_text().strip() if options.shift_token_file else "",
    )
    app = create_middleware(config, lambda: datetime.now(UTC))
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tower.demo", description=__doc__)
    parser.add_argument("--tower", required=True, help="address of the tower")
    parser.add_argument(
        "--token-file", required=True, type=Path, help="file with a key that may send for every connection"
    )
    parser.add_argument("--secret-file", required=True, type=Path, help="file with the token that the tower shows here")
    parser.add_argument(
        "--shift-token-file", type=Path, help="file with the key of a colleague who retries some orders"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=2.0, help="orders per second")
    parser.add_argument("--history-s", type=float, default=240, help="seconds of past to begin with")
    return parser.parse_args()


if __name__ == "__main__":
    main()
