"""What all values of the protocol share: they are immutable, and made with keywords."""

from __future__ import annotations

import secrets

import msgspec

__all__ = ["Value", "new_id"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value; two with the same content are equal."""


def new_id(prefix: str) -> str:
    """Return a fresh identifier such as `resp_3f…`: the prefix, an underscore, 32 hex digits."""
    return f"{prefix}_{secrets.token_hex(16)}"
