"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agentbench.errors import InvalidRequest

__all__ = ["moment"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(written: datetime | timedelta | str | None, *, param: str = "since") -> datetime | None:
    """Return the moment that is meant: itself, so long ago (`"90m"`, `"24h"`, `"7d"`), `"today"`, or a date.

    A time without a zone is local.
    """
    if written is None:
        return None
    if isinstance(written, timedelta):
        return datetime.now(UTC) - written
    if isinstance(written, datetime):
        return written.astimezone(UTC)
    try:
        return _parsed(written.strip())
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{written!r} is not a time. Write 90m, 24h, 7d, today or 2026-11-01.", param=param
        ) from None


def _parsed(text: str) -> datetime:
    if text == "today":
        return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    if text[-1:] in _UNITS and text[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    return datetime.fromisoformat(text).astimezone(UTC)
