"""How sealed reasoning travels through a client of Anthropic's: its signature holds the item's id and the seal.

The provider that sealed it wants to see it again under the same id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from agentbench.protocol.items import Reasoning

__all__ = ["sealed", "unsealed"]


def sealed(item: Reasoning) -> str:
    """Return a reasoning item's signature; empty where its provider gave no seal."""
    return f"{item.id}|{item.encrypted_content}" if item.encrypted_content else ""


def unsealed(signature: str) -> tuple[str, str]:
    """Return the id and the seal that a signature holds; a signature that isn't ours is all seal."""
    item_id, mark, seal = signature.partition("|")
    return (item_id, seal) if mark else (new_id("rs"), signature)
