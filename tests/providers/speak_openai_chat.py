"""A server of OpenAI's Chat Completions; reasoning comes as `reasoning_content`, as most servers tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter
from tests.providers.openai_server import OpenAIServer, data_url
from tests.providers.scenes import Answer, Asked, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Speaker"]

_ENDS = {"stop": "stop", "length": "length", "filter": "content_filter"}


class Speaker(OpenAIServer):
    """Speaks Chat Completions."""

    provider = "openai_chat"
    path = "/chat/completions"
    params: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)

    def asked(self, body: dict[str, Any]) -> Asked:
        """Read the messages; a result must answer a call of the message before."""
        called: set[str] = set()
        results, image = {}, None
        for message in body["messages"]:
            called |= {call["id"] for call in message.get("tool_calls") or ()}
            if message["role"] == "tool":
                if message["tool_call_id"] not in called:
                    raise Refused("messages with role 'tool' must be a response to a message with 'tool_calls'.")
                results[message["tool_call_id"]] = message["content"]
            for part in message["content"] if isinstance(message["content"], list) else ():
                image = data_url(part["image_url"]["url"]) if part["type"] == "image_url" else image
        schema = body.get("response_format", {}).get("type") == "json_schema"
        return Asked(tools=bool(body.get("tools")), results=results, image=image, schema=schema)

    def frames(self, body: dict[str, Any], said: Answer) -> Iterator[bytes]:
        """Yield chunks."""
        model = body["model"]
        yield _chunk(model, {"role": "assistant", "content": "", "refusal": None})
        if said.thought:
            yield _chunk(model, {"reasoning_content": said.thought})
        for piece in said.pieces:
            yield _chunk(model, {"content": piece})
        for index, (call_id, arguments) in enumerate(said.calls.items()):
            function = {"name": "get_weather", "arguments": ""}
            call = {"index": index, "id": call_id, "type": "function", "function": function}
            yield _chunk(model, {"tool_calls": [call]})
            for piece in (arguments[:5], arguments[5:]):
                yield _chunk(model, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        if said.end == "error":
            yield _frame({"error": {"message": "The server had an error.", "type": "server_error", "code": None}})
            return
        yield _chunk(model, {}, finish_reason="tool_calls" if said.calls else _ENDS[said.end])
        if body.get("stream_options", {}).get("include_usage"):
            yield _frame(_base(model) | {"choices": [], "usage": _usage(said)})
        yield b"data: [DONE]\n\n"


def _usage(said: Answer) -> dict[str, Any]:
    incoming, outgoing = said.tokens
    return {
        "prompt_tokens": incoming,
        "completion_tokens": outgoing,
        "total_tokens": incoming + outgoing,
        "prompt_tokens_details": {"cached_tokens": said.cached, "cache_write_tokens": said.written},
        "completion_tokens_details": {"reasoning_tokens": said.reasoned},
    }


def _base(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": model}


def _chunk(model: str, delta: dict[str, Any], *, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _frame(_base(model) | {"choices": [choice]})


def _frame(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
