"""Which item and part an event is about, worked out from ids where a server leaves the indexes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol.grammar.shapes import EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Places"]

_PART_INDEXES = ("content_index", "summary_index")
_ADDED = "response.output_item.added"


class Places:
    """Knows where the items of one stream are, from the events that add them."""

    def __init__(self) -> None:
        self._by_id: dict[str, int] = {}
        self._count = 0

    def note(self, event: Mapping[str, Any]) -> None:
        """Remember where an item was added."""
        index, item = event.get("output_index"), event.get("item")
        if type(index) is int:
            self._count = max(self._count, index + 1)
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                self._by_id[item["id"]] = index

    def filled(self, kind: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return an event with the indexes that it lacks: its item's by its id, and 0 for a part's."""
        keys = EVENTS.get(kind, {})
        given: dict[str, int] = {key: 0 for key in _PART_INDEXES if key in keys and key not in event}
        if "output_index" in keys and "output_index" not in event:
            item = event.get("item")
            item_id = event.get("item_id", item.get("id") if isinstance(item, dict) else None)
            known = self._by_id.get(item_id) if isinstance(item_id, str) and kind != _ADDED else None
            given["output_index"] = self._count if known is None else known
        return {**event, **given}
