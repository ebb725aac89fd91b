"""From events to the chunks of a streamed chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText
from agentbench.protocol.items import FunctionCall, Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import Event, Response, Usage

__all__ = ["ChatEncoder", "citations", "finish_reason", "usage_body"]

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]
_CUT: dict[str, FinishReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}


class ChatEncoder:
    """Writes one stream of chunks; with its usage as a last chunk where the client asked for it."""

    def __init__(self, response: Response, *, with_usage: bool) -> None:
        self._json = msgspec.json.Encoder()
        self._with_usage = with_usage
        self._calls: dict[int, int] = {}
        self._head = {
            "id": response.id.replace("resp_", "chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": response.created_at,
            "model": response.model,
        }
        head = self._json.encode(self._head)[:-1]
        self._before = b'data: %s,"choices":[{"index":0,"delta":{"content":' % head
        self._after = b'},"logprobs":null,"finish_reason":null}]}\n\n'

    def feed(self, event: Event) -> Iterator[bytes]:
        """Return the chunks that the event causes; most events of structure cause none."""
        match event:
            case ev.TextDelta(logprobs=()):
                yield self._before + self._json.encode(event.delta) + self._after
            case ev.TextDelta():
                yield self._delta({"content": event.delta}, logprobs={"content": event.logprobs, "refusal": None})
            case ev.ReasoningDelta() | ev.SummaryDelta():
                yield self._delta({"reasoning_content": event.delta})
            case ev.RefusalDelta():
                yield self._delta({"refusal": event.delta})
            case ev.ItemAdded(item=FunctionCall() as call):
                yield self._call_begins(event.output_index, call)
            case ev.ArgumentsDelta():
                yield self._call({"index": self._calls[event.output_index], "function": {"arguments": event.delta}})
            case ev.ResponseCreated():
                yield self._delta({"role": "assistant", "content": ""})
            case ev.ErrorEvent():
                yield self._frame({"error": event.error})
            case ev.ResponseCompleted() | ev.ResponseIncomplete():
                yield from self._ends(event.response)
            case _:
                pass

    def close(self) -> Iterator[bytes]:
        """Return the literal that ends every stream."""
        yield b"data: [DONE]\n\n"

    def _call_begins(self, place: int, call: FunctionCall) -> bytes:
        index = self._calls[place] = len(self._calls)
        function = {"name": call.name, "arguments": ""}
        return self._call({"index": index, "id": call.call_id, "type": "function", "function": function})

    def _call(self, call: dict[str, Any]) -> bytes:
        return self._delta({"tool_calls": [call]})

    def _ends(self, response: Response) -> Iterator[bytes]:
        if cited := citations(response):
            yield self._delta({"annotations": cited})
        yield self._delta({}, finish=finish_reason(response))
        if self._with_usage:
            yield self._frame({**self._head, "choices": [], "usage": usage_body(response.usage)})

    def _delta(
        self, delta: dict[str, Any], *, finish: FinishReason | None = None, logprobs: dict[str, Any] | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._frame({**self._head, "choices": [choice]})

    def _frame(self, body: dict[str, Any]) -> bytes:
        return b"data: %s\n\n" % self._json.encode(body)


def finish_reason(response: Response) -> FinishReason:
    """Return why the answer ended, in the words of Chat Completions."""
    if response.incomplete_details is not None:
        return _CUT.get(response.incomplete_details.reason, "stop")
    return "tool_calls" if response.function_calls else "stop"


def citations(response: Response) -> list[dict[str, Any]]:
    """Return what the answer cites, at its offsets in the answer's whole text."""
    found: list[dict[str, Any]] = []
    offset = 0
    messages = (item for item in response.output if isinstance(item, Message))
    for part in (part for message in messages for part in message.content if isinstance(part, OutputText)):
        for each in part.annotations:
            place = {"start_index": offset + each.start_index, "end_index": offset + each.end_index}
            found.append({"type": "url_citation", "url_citation": {"url": each.url, "title": each.title, **place}})
        offset += len(part.text)
    return found


def usage_body(usage: Usage | None) -> dict[str, Any] | None:
    """Return the tokens in the words of Chat Completions; None while nobody has told any."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": usage.input_tokens_details,
        "completion_tokens_details": usage.output_tokens_details,
    }
