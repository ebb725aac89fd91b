"""Changes of a config in use: what is set or taken back, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Edit", "Overrides", "with_edits"]

Overrides = dict[str, dict[tuple[str, ...], object]]
"""What was set in a session: by the name of an endpoint, `all` or `agents`, and the path of a key within its block."""


class Edit(NamedTuple):
    """One key of a block, which is an endpoint's or that of `all` or `agents`; the value `UNSET` takes it out."""

    block: str
    path: tuple[str, ...]
    value: Any


def with_edits(overrides: Overrides, edits: Iterable[Edit]) -> Overrides:
    """Return what a session has set after these edits too."""
    made = {name: dict(changes) for name, changes in overrides.items()}
    for block, path, value in edits:
        changes = made.setdefault(block, {})
        if value is UNSET:
            changes.pop(path, None)
        else:
            changes[path] = value
    return {name: changes for name, changes in made.items() if changes}
