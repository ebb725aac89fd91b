"""From what the caller asked and what the agent is to the request that the provider gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol.content import OutputText
from agentbench.protocol.items import Message
from agentbench.runner.documents import without_searches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import CreateResponse, InputItem, Item
    from agentbench.runner.history import History
    from agentbench.runner.target import Target

__all__ = ["merged", "with_past"]

_PICTURE = re.compile(r"!\[([^\]]*)\]\(data:image/[^)]*\)")
_PARAMETERS = ("temperature", "top_p", "max_output_tokens", "presence_penalty", "frequency_penalty")


def merged(request: CreateResponse, target: Target) -> CreateResponse:
    """Return the request for the target's model, with what its agent adds.

    The agent's instructions come before the request's; its parameters hold where the request gives none.
    """
    changes: dict[str, object] = {"model": target.model}
    if request.top_logprobs is None and "message.output_text.logprobs" in request.include:
        changes["top_logprobs"] = 1  # chat endpoints tell no probabilities unless they are asked for some others too
    if target.agent is not None:
        own = target.agent.parameters
        changes |= {name: getattr(own, name) for name in _PARAMETERS if getattr(request, name) is None}
        both = [text for text in (target.agent.instructions, request.instructions) if text]
        changes["instructions"] = "\n\n".join(both) or None
    return msgspec.structs.replace(request, **changes)


def with_past(request: CreateResponse, history: History, so_far: Sequence[Item]) -> CreateResponse:
    """Return the request with the past in front of its input, and behind it what this answer has made so far.

    Searches of documents are left out: what they found goes in anew for each turn. So are pictures in answers.
    """
    items = without_searches((*history.items, *request.input, *so_far))
    return msgspec.structs.replace(request, input=tuple(_without_pictures(item) for item in items))


def _without_pictures(item: InputItem) -> InputItem:
    """Return an answer without the pictures that its Markdown holds, which as text would fill any context."""
    if not isinstance(item, Message) or item.role != "assistant" or "](data:" not in item.text:
        return item
    content = tuple(
        msgspec.structs.replace(part, text=_PICTURE.sub(r"[picture: \1]", part.text), annotations=())
        if isinstance(part, OutputText)
        else part
        for part in item.content
    )
    return msgspec.structs.replace(item, content=content)
