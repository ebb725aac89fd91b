"""A question, from what a person typed to the items of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.items import Message, user_message
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import InputItem
    from agentbench.runner.documents import Document

__all__ = ["Asked", "items_of", "renewed"]


class Asked(NamedTuple):
    """A question, and what it follows; `goes_on` is True if that is whatever was said last."""

    items: tuple[InputItem, ...]
    parent: str | None
    goes_on: bool = False
    asks: bool = True
    """Whether a person may be asked before a tool runs."""
    documents: tuple[Document, ...] = ()
    """What the answer rests on."""


def items_of(text: str, images: Sequence[str]) -> tuple[InputItem, ...]:
    """Return a question as items; raises `InvalidRequest` if it is empty, or an image is none."""
    if not text.strip() and not images:
        raise InvalidRequest("The question is empty.")
    for image in images:
        if not image.startswith(("https://", "http://", "data:image/")):
            raise InvalidRequest(f"{image[:60]!r} is not an image's address: https or data.")
    message = user_message(text, *images)
    return (message if text.strip() else msgspec.structs.replace(message, content=message.content[1:]),)


def renewed(items: Sequence[InputItem]) -> tuple[InputItem, ...]:
    """Return a question with ids of its own, as the ids of what is stored stay unique."""
    return tuple(
        msgspec.structs.replace(item, id=new_id("msg")) if isinstance(item, Message) else item for item in items
    )
