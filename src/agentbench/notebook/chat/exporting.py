"""A conversation for a page that has no kernel to ask: the whole branch in view, with the images in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.notebook.chat.drawing import as_written
from agentbench.notebook.chat.pictures import held_place, images_of, of_call
from agentbench.notebook.chat.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.notebook.chat.past import Past, Place
    from agentbench.notebook.chat.values import Block, Turn

__all__ = ["whole_branch"]

_MOST_BYTES = 5_000_000
_MOST_IMAGE_BYTES = 10_000_000
_LEFT_OUT = "An image is left out here: those of this page are too large together."


def whole_branch(past: Past) -> dict[str, Any]:
    """Return the newest turns that fit into a page, and how many are before them."""
    view = past.view(len(past.stored) + 1, _MOST_BYTES)
    images = _Images()
    turns = [images.put_in(turn, past.place(turn.id)) for turn in reversed(view.turns)]
    return {"turns": [plain(turn) for turn in reversed(turns)], "earlier": view.earlier}


class _Images:
    """Puts the images that views fetch into turns, as long as there is room."""

    def __init__(self) -> None:
        self._room = _MOST_IMAGE_BYTES

    def put_in(self, turn: Turn, place: Place) -> Turn:
        """Return a turn with its images, or with a note in the place of those that don't fit."""
        sources, is_whole = self._found(turn.question.images, images_of(place.items))
        html = turn.question.html if is_whole else turn.question.html + as_written(_LEFT_OUT)
        question = msgspec.structs.replace(turn.question, images=sources, html=html)
        blocks = tuple(self._in_block(block, place) for block in turn.blocks)
        return msgspec.structs.replace(turn, question=question, blocks=blocks)

    def _in_block(self, block: Block, place: Place) -> Block:
        shown = block.result or block
        if not shown.images:
            return block
        sources, is_whole = self._found(shown.images, images_of(of_call(place.output, block.call_id)))
        note = shown.note if is_whole else f"{shown.note} {_LEFT_OUT}".strip()
        if block.result is None:
            return msgspec.structs.replace(block, images=sources, note=note)
        return msgspec.structs.replace(block, result=msgspec.structs.replace(block.result, images=sources, note=note))

    def _found(self, sources: Sequence[str], images: Sequence[str]) -> tuple[tuple[str, ...], bool]:
        """Return the images themselves, and whether they are all there."""
        found = []
        for source in sources:
            place = held_place(source)
            address = source if place is None else images[place]
            if place is None or len(address) <= self._room:
                self._room -= 0 if place is None else len(address)
                found.append(address)
        return tuple(found), len(found) == len(sources)
