"""The branches of an archived conversation: the current one, and the ends of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentbench.archives.values import Archived
    from agentbench.storage.responses import StoredResponse

__all__ = ["branches"]


def branches(archived: Archived) -> list[tuple[StoredResponse, ...]]:
    """Return the turns of each branch from its beginning on: first the current one, then the others as they began.

    The current one is empty where a conversation goes on from its beginning.
    """
    turns = {turn.response.id: turn for turn in archived.turns}
    followed = {turn.parent for turn in archived.turns}
    current = _path(archived.conversation.head, turns)
    passed = {turn.response.id for turn in current}
    ends = [key for key in turns if key not in followed and key not in passed]
    return [current, *(_path(key, turns) for key in ends)]


def _path(key: str | None, turns: dict[str, StoredResponse]) -> tuple[StoredResponse, ...]:
    path: dict[str, StoredResponse] = {}
    while key is not None and key in turns and key not in path:
        path[key] = turns[key]
        key = turns[key].parent
    return tuple(reversed(path.values()))
