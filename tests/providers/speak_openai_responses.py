"""A server of OpenAI's Responses that stores nothing: reasoning is summed up, and sealed if the request asks for it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming
from pydantic import TypeAdapter
from tests.providers.openai_server import OpenAIServer, data_url
from tests.providers.scenes import Answer, Asked, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Speaker"]

_SEAL = "sealed-by-the-speaker"
_TEXT = {"item_id": "msg_1", "content_index": 0}
_THOUGHT = {"item_id": "rs_1", "summary_index": 0}


class Speaker(OpenAIServer):
    """Speaks Responses."""

    provider = "openai_responses"
    path = "/responses"
    params: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsStreaming)

    def checkable(self, body: dict[str, Any]) -> dict[str, Any]:
        """Give the assistant's messages an id and a status: the types want both, the server neither."""
        if not isinstance(body.get("input"), list):
            return body
        given = {"id": "msg_0", "status": "completed"}
        return body | {"input": [(given if each.get("role") == "assistant" else {}) | each for each in body["input"]]}

    def asked(self, body: dict[str, Any]) -> Asked:
        """Read the items; a result must answer a call, and reasoning must come back sealed."""
        items = body["input"] if isinstance(body["input"], list) else []
        calls = {item["call_id"] for item in items if item.get("type") == "function_call"}
        results = {item["call_id"]: item["output"] for item in items if item.get("type") == "function_call_output"}
        if not results.keys() <= calls:
            raise Refused("No tool call found for function call output.")
        if any(item.get("encrypted_content") != _SEAL for item in items if item.get("type") == "reasoning"):
            raise Refused("The encrypted content could not be verified.")
        parts = [part for item in items for part in _parts(item)]
        images = [data_url(part["image_url"]) for part in parts if part["type"] == "input_image"]
        schema = body.get("text", {}).get("format", {}).get("type") == "json_schema"
        image = images[0] if images else None
        return Asked(tools=bool(body.get("tools")), results=results, image=image, schema=schema)

    def frames(self, body: dict[str, Any], said: Answer) -> Iterator[bytes]:
        """Yield events, numbered."""
        numbers = count()
        for event in self._events(body, said):
            data = msgspec.json.encode(event | {"sequence_number": next(numbers)})
            yield b"event: " + event["type"].encode() + b"\ndata: " + data + b"\n\n"

    def _events(self, body: dict[str, Any], said: Answer) -> Iterator[dict[str, Any]]:
        response = _response(body["model"])
        output: list[dict[str, Any]] = []
        yield {"type": "response.created", "response": response}
        yield {"type": "response.in_progress", "response": response}
        if said.thought:
            sealed = "reasoning.encrypted_content" in body.get("include", ())
            yield from _reasoning(output, said.thought, _SEAL if sealed else None)
        if said.pieces:
            yield from _message(output, said)
        for call_id, arguments in said.calls.items():
            yield from _call(output, call_id, arguments)
        if said.end == "error":
            yield {"type": "error", "code": "server_error", "message": "The server had an error.", "param": None}
            return
        reason = {"length": "max_output_tokens", "filter": "content_filter"}.get(said.end)
        end = response | {"status": "incomplete" if reason else "completed", "output": output, "usage": _usage(said)}
        if reason:
            end["incomplete_details"] = {"reason": reason}
        yield {"type": f"response.{end['status']}", "response": end}


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item.get("content")
    return content if isinstance(content, list) else []


def _response(model: str) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }


def _usage(said: Answer) -> dict[str, Any]:
    incoming, outgoing = said.tokens
    return {
        "input_tokens": incoming,
        "input_tokens_details": {"cached_tokens": said.cached, "cache_write_tokens": said.written},
        "output_tokens": outgoing,
        "output_tokens_details": {"reasoning_tokens": said.reasoned},
        "total_tokens": incoming + outgoing,
    }


def _reasoning(output: list[dict[str, Any]], thought: str, seal: str | None) -> Iterator[dict[str, Any]]:
    item = {"id": "rs_1", "type": "reasoning", "summary": []}
    place = _THOUGHT | {"output_index": len(output)}
    whole = {"type": "summary_text", "text": thought}
    yield {"type": "response.output_item.added", "output_index": len(output), "item": item}
    yield {"type": "response.reasoning_summary_part.added", "part": whole | {"text": ""}, **place}
    yield {"type": "response.reasoning_summary_text.delta", "delta": thought, **place}
    yield {"type": "response.reasoning_summary_text.done", "text": thought, **place}
    yield {"type": "response.reasoning_summary_part.done", "part": whole, **place}
    item = item | {"summary": [whole]} | ({"encrypted_content": seal} if seal else {})
    yield {"type": "response.output_item.done", "output_index": len(output), "item": item}
    output.append(item)


def _message(output: list[dict[str, Any]], said: Answer) -> Iterator[dict[str, Any]]:
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    place = _TEXT | {"output_index": len(output)}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    yield {"type": "response.output_item.added", "output_index": len(output), "item": item}
    yield {"type": "response.content_part.added", "part": part, **place}
    for piece in said.pieces:
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
    if said.end == "error":
        return
    part = part | {"text": "".join(said.pieces)}
    item = item | {"status": "completed" if said.end == "stop" else "incomplete", "content": [part]}
    yield {"type": "response.output_text.done", "text": part["text"], "logprobs": [], **place}
    yield {"type": "response.content_part.done", "part": part, **place}
    yield {"type": "response.output_item.done", "output_index": len(output), "item": item}
    output.append(item)


def _call(output: list[dict[str, Any]], call_id: str, arguments: str) -> Iterator[dict[str, Any]]:
    index, item_id = len(output), f"fc_{call_id}"
    item = {"id": item_id, "type": "function_call", "call_id": call_id, "name": "get_weather", "arguments": ""}
    place = {"item_id": item_id, "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": item | {"status": "in_progress"}}
    for piece in (arguments[:5], arguments[5:]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece, **place}
    yield {"type": "response.function_call_arguments.done", "name": "get_weather", "arguments": arguments, **place}
    item = item | {"status": "completed", "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}
    output.append(item)
