"""What a secret must look like before it can be used."""

from __future__ import annotations


def any_text(secret: str) -> str:
    """Return '' for any secret that is not blank."""
    return "" if secret.strip() else "it is empty"
