"""The images of a conversation, as views get them: in the turn itself, by a request of their own, or by name only.

Notebook servers drop what is over a megabyte a second, so a turn brings small images alone; in a larger one's place
stands `held:` with its number among the images of the question, or of the call's result.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import InvalidRequest
from agentbench.notebook.render import is_shown_image
from agentbench.protocol.content import InputImage
from agentbench.protocol.items import FunctionCallOutput, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from agentbench.protocol import InputItem

__all__ = ["Shown", "as_asked", "held_place", "image_bytes", "images_of", "of_call", "shown_images"]

_HELD = "held:"
_LONGEST = 300_000
_LONGEST_TOGETHER = 600_000
_LONGEST_HELD = 3_000_000
"""Characters of an image's address: in a turn, of all in one, and of one that is fetched."""


class Shown(NamedTuple):
    """What a view gets of some images, and the addresses of those that it doesn't get: from elsewhere, or huge."""

    sources: tuple[str, ...]
    hidden: tuple[str, ...]


def images_of(items: Iterable[InputItem]) -> list[str]:
    """Return the addresses of all images, in order."""
    return list(_images(items))


def of_call(items: Iterable[InputItem], call_id: str) -> list[FunctionCallOutput]:
    """Return the results of a call."""
    return [item for item in items if isinstance(item, FunctionCallOutput) and item.call_id == call_id]


def shown_images(items: Iterable[InputItem]) -> Shown:
    """Return what a view gets of the images of a question or a result."""
    sources, hidden, size = [], [], 0
    for place, address in enumerate(_images(items)):
        if not is_shown_image(address) or len(address) > _LONGEST_HELD:
            hidden.append(address)
        elif len(address) <= _LONGEST and size + len(address) <= _LONGEST_TOGETHER:
            size += len(address)
            sources.append(address)
        else:
            sources.append(f"{_HELD}{place}")
    return Shown(tuple(sources), tuple(hidden))


def held_place(source: str) -> int | None:
    """Return which image a source stands for; None if it is an address itself."""
    number = source.removeprefix(_HELD)
    return int(number) if number != source and number.isdecimal() else None


def as_asked(sources: Iterable[str], items: Sequence[InputItem]) -> list[str]:
    """Return the images of a question that is edited: what a view sends of them, and those that it never got."""
    images = images_of(items)
    return [*(_address(each, images) for each in sources), *shown_images(items).hidden]


def image_bytes(images: Sequence[str], index: int) -> tuple[str, bytes]:
    """Return the type of an image and its bytes; raises `InvalidRequest` if it isn't one that can be shown."""
    address = images[index] if 0 <= index < len(images) else ""
    if not is_shown_image(address):
        raise InvalidRequest("That image isn't here.")
    head, _, data = address.partition(",")
    try:
        return head.removeprefix("data:").split(";")[0].lower(), base64.b64decode(data)
    except binascii.Error:
        raise InvalidRequest("That image is broken.") from None


def _address(source: str, images: Sequence[str]) -> str:
    place = held_place(source)
    return images[place] if place is not None and place < len(images) else source


def _images(items: Iterable[InputItem]) -> Iterator[str]:
    for item in items:
        parts = item.content if isinstance(item, Message) else ()
        if isinstance(item, FunctionCallOutput) and not isinstance(item.output, str):
            parts = item.output
        for part in parts:
            if isinstance(part, InputImage) and part.image_url:
                yield part.image_url
