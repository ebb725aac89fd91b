"""`${NAME}` in a config: an environment variable's value, or a sentence that says why it can't be had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VARIABLE", "value_of", "wrong_with"]

VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What opens the gateway's own doors, and LibreChat's, must not travel to an upstream by a slip in the config.
_OURS = "AGENTBENCH_"
_GUARDED = (
    "CREDS_IV",
    "CREDS_KEY",
    "JWT_REFRESH_SECRET",
    "JWT_SECRET",
    "MEILI_MASTER_KEY",
    "MONGO_URI",
    "REDIS_PASSWORD",
    "REDIS_URI",
)


def value_of(name: str, environ: Mapping[str, str]) -> str:
    """Return a variable's value, without the blanks and line breaks that keys from files end in."""
    return environ[name].strip()


def wrong_with(name: str, environ: Mapping[str, str]) -> str | None:
    """Return why a variable can't be put in; None if it can."""
    if not _NAME.fullmatch(name):
        return "a placeholder holds just the name of an environment variable: ${NAME}"
    if name.upper().startswith(_OURS) or name.upper() in _GUARDED:  # on Windows any case means the same variable
        return f"the environment variable {name!r} may hold a secret of the gateway's own, so a config can't name it"
    if environ.get(name, "").strip():
        return None
    return f"the environment variable {name!r} is {'empty' if name in environ else 'not set'}"
