"""From a response to a message of Anthropic's: its blocks, its end, its usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.errors import UpstreamError
from agentbench.protocol.content import OutputText, Refusal
from agentbench.protocol.items import FunctionCall, Message, Reasoning
from agentbench.surfaces.anthropic_seal import sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import Item, Response, Usage

__all__ = ["begun", "ending", "message", "redacted_block", "text_block", "thinking_block", "tokens", "tool_block"]

_Object = dict[str, Any]
StopReason = Literal["end_turn", "max_tokens", "pause_turn", "refusal", "tool_use"]

_CUT: dict[str, StopReason] = {
    "max_output_tokens": "max_tokens",
    "content_filter": "refusal",
    "interrupted": "pause_turn",
}
_SERVICE_TIERS = {"default": "standard", "priority": "priority"}
_NO_END = {"stop_reason": None, "stop_sequence": None, "stop_details": None, "container": None}


def message(response: Response) -> _Object:
    """Return a finished response as a message; raises `UpstreamError` if it failed."""
    if response.error is not None:
        raise UpstreamError(response.error.message)
    blocks = [block for item in response.output for block in _blocks(item)]
    return _message(response, blocks, ending(response))


def begun(response: Response) -> _Object:
    """Return the message as it stands before anything came out."""
    return _message(response, [], _NO_END)


def ending(response: Response) -> _Object:
    """Return why the message ended, as its last event tells it."""
    reason = _stop_reason(response)
    words = "".join(item.refusal for item in response.output if isinstance(item, Message))
    refusal = {"type": "refusal", "category": None, "explanation": words or None}
    return {**_NO_END, "stop_reason": reason, "stop_details": refusal if reason == "refusal" else None}


def tokens(usage: Usage | None) -> _Object:
    """Return the tokens as Anthropic counts: what came from or went to the cache is not among the input."""
    cached = usage.input_tokens_details.cached_tokens if usage else 0
    written = usage.input_tokens_details.cache_write_tokens if usage else 0
    return {
        "input_tokens": max(0, usage.input_tokens - cached - written) if usage else 0,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens if usage else 0,
        "output_tokens_details": {"thinking_tokens": usage.output_tokens_details.reasoning_tokens} if usage else None,
        "server_tool_use": None,
    }


def text_block(text: str = "") -> _Object:
    """Return a block of text."""
    return {"type": "text", "text": text, "citations": []}


def thinking_block(thinking: str = "", signature: str = "") -> _Object:
    """Return a block of reasoning; its signature is empty where its provider gave no seal."""
    return {"type": "thinking", "thinking": thinking, "signature": signature}


def redacted_block(data: str) -> _Object:
    """Return a block of reasoning that is sealed only."""
    return {"type": "redacted_thinking", "data": data}


def tool_block(call: FunctionCall, arguments: _Object | None = None) -> _Object:
    """Return a block that asks for a call."""
    return {
        "type": "tool_use",
        "id": call.call_id,
        "name": call.name,
        "input": arguments or {},
        "caller": {"type": "direct"},
    }


def _message(response: Response, blocks: list[_Object], end: _Object) -> _Object:
    return {
        "id": response.id.replace("resp_", "msg_"),
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": blocks,
        **end,
        "usage": {
            **tokens(response.usage),
            "cache_creation": None,
            "inference_geo": None,
            "service_tier": _SERVICE_TIERS.get(response.service_tier),
        },
    }


def _blocks(item: Item) -> Iterator[_Object]:
    match item:
        case Message():
            for part in item.content:
                words = part.refusal if isinstance(part, Refusal) else part.text if isinstance(part, OutputText) else ""
                if words:
                    yield text_block(words)
        case Reasoning():
            if item.text:
                yield thinking_block(item.text, sealed(item))
            elif seal := sealed(item):
                yield redacted_block(seal)
        case FunctionCall():
            yield tool_block(item, _arguments(item.arguments))


def _arguments(text: str) -> _Object:
    """Return a call's arguments. What isn't an object goes under the key that Anthropic recommends for it."""
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {"INVALID_JSON": text}


def _stop_reason(response: Response) -> StopReason:
    if response.incomplete_details is not None:
        return _CUT.get(response.incomplete_details.reason, "end_turn")
    if response.function_calls:
        return "tool_use"
    refused = any(isinstance(item, Message) and item.refusal for item in response.output)
    return "refusal" if refused else "end_turn"
