"""From the messages of a thread to the items that a model gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import AgentbenchError
from agentbench.protocol.assistants.content import ImageFilePart, ImageUrlPart, RefusalPart, TextPart
from agentbench.protocol.content import InputImage, InputText, OutputText, Refusal
from agentbench.protocol.items import Message

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agentbench.protocol.assistants.content import MessageContent
    from agentbench.protocol.assistants.objects import ThreadMessage
    from agentbench.protocol.content import ContentPart

__all__ = ["item_of", "split"]

_GONE = "(a file that isn't there any more)"


async def item_of(
    message: ThreadMessage, *, picture: Callable[[str], Awaitable[str]], name: Callable[[str], Awaitable[str]]
) -> Message | None:
    """Return a message as an item, None if a model can't read anything in it.

    `picture` gives a stored picture as a `data:` URL, and `name` a file's name: attachments are named at its end.
    """
    if message.role == "assistant":
        said = tuple(part for part in map(_said, message.content) if part is not None)
        return Message(id=message.id, role="assistant", content=said) if said else None
    parts: list[ContentPart] = [part for each in message.content for part in await _asked(each, picture)]
    names = [await _found(name, each.file_id) for each in message.attachments or () if each.file_id is not None]
    if names:
        parts.append(InputText(text=f"Attached files: {', '.join(names)}"))
    return Message(id=message.id, role="user", content=tuple(parts)) if parts else None


def split(
    messages: Sequence[ThreadMessage], run_id: str, *, most: int | None, head: str | None, sent: frozenset[str]
) -> tuple[list[ThreadMessage], list[ThreadMessage]]:
    """Return the older messages and the new ones, of the last `most` that aren't the run's own.

    New is what the run has `sent` already; before it has, what came after the last answer, if there is one: `head`.
    """
    others = [each for each in messages if each.run_id != run_id]
    answers = [place for place, each in enumerate(others) if each.run_id is not None] if head is not None else []
    begin = answers[-1] + 1 if answers else 0
    if sent:
        begin = next((place for place, each in enumerate(others) if each.id in sent), len(others))
    first = 0 if most is None else max(0, len(others) - most)
    return others[first:begin], others[max(first, begin) :]


def _said(part: MessageContent) -> ContentPart | None:
    if isinstance(part, TextPart):
        return OutputText(text=part.text.value)
    return Refusal(refusal=part.refusal) if isinstance(part, RefusalPart) else None


async def _asked(part: MessageContent, picture: Callable[[str], Awaitable[str]]) -> list[ContentPart]:
    if isinstance(part, TextPart):
        return [InputText(text=part.text.value)]
    if isinstance(part, ImageUrlPart):
        return [InputImage(image_url=part.image_url.url, detail=part.image_url.detail or "auto")]
    if isinstance(part, ImageFilePart):
        url = await _found(picture, part.image_file.file_id)
        if url == _GONE:
            return [InputText(text=url)]
        return [InputImage(image_url=url, detail=part.image_file.detail or "auto")]
    return []


async def _found(find: Callable[[str], Awaitable[str]], file_id: str) -> str:
    """Return what is found of a file; the thread stays usable once it was deleted."""
    try:
        return await find(file_id)
    except AgentbenchError:
        return _GONE
