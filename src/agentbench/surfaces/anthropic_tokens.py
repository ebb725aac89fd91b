"""How many tokens a request would be, estimated: no provider counts them before it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import CreateResponse, InputItem

__all__ = ["estimate"]

_BYTES_A_TOKEN = 4
_BYTES_A_TOKEN_OF_JSON = 2


def estimate(request: CreateResponse, instructions: str | None = None) -> int:
    """Return about how many tokens go into the model, by the bytes of all text; images and files count nothing.

    `instructions` are the agent's own, which come on top.
    """
    texts = [instructions or "", request.instructions or ""]
    texts += [text for item in request.input for text in _texts(item)]
    texts += [msgspec.json.encode(tool).decode() for tool in request.tools]
    return sum(_tokens(text) for text in texts)


def _texts(item: InputItem) -> Iterator[str]:
    match item:
        case Message():
            yield from (getattr(part, "text", "") for part in item.content)
        case FunctionCall():
            yield item.name
            yield item.arguments
        case FunctionCallOutput(output=str(text)):
            yield text
        case FunctionCallOutput():
            yield from (getattr(part, "text", "") for part in item.output)
        case Reasoning():
            yield item.text


def _tokens(text: str) -> int:
    """Return a text's tokens, rounded up: JSON's marks are tokens by themselves."""
    size = _BYTES_A_TOKEN_OF_JSON if text.lstrip()[:1] in ("{", "[") else _BYTES_A_TOKEN
    return -(-len(text.encode()) // size)
