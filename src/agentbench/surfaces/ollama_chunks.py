"""From events to the lines of Ollama's `/api/chat`: one JSON object a line, the last with the counts and durations.

A tool call is told once it is whole, as Ollama has no deltas for it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText
from agentbench.protocol.items import FunctionCall, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.protocol import Event, Response
    from agentbench.protocol.content import LogProb

__all__ = ["GenerateEncoder", "OllamaEncoder", "done_reason", "tool_call"]

DoneReason = Literal["stop", "length"]


class OllamaEncoder:
    """Writes one stream. `elapsed` tells the seconds since the request; without it they count from now."""

    def __init__(self, response: Response, *, elapsed: Callable[[], float] | None = None) -> None:
        begun = time.perf_counter()
        self._json = msgspec.json.Encoder()
        self._model = response.model
        self._created_at = response.created_at
        self._elapsed = elapsed or (lambda: time.perf_counter() - begun)
        self._first: float | None = None
        self._calls = 0

    def feed(self, event: Event) -> Iterator[bytes]:
        """Return the lines that the event causes; most events of structure cause none."""
        match event:
            case ev.TextDelta(delta=delta) | ev.RefusalDelta(delta=delta):
                yield self._piece({"content": delta}, getattr(event, "logprobs", ()))
            case ev.ReasoningDelta(delta=delta) | ev.SummaryDelta(delta=delta):
                yield self._piece({"content": "", "thinking": delta})
            case ev.ItemDone(item=FunctionCall() as call):
                yield self._piece({"content": "", "tool_calls": [tool_call(call, self._calls)]})
                self._calls += 1
            case ev.ErrorEvent(error=error):
                yield self._line({"error": error.message})
            case ev.ResponseCompleted(response=response) | ev.ResponseIncomplete(response=response):
                yield self._last(response)
            case _:
                pass

    def close(self) -> Iterator[bytes]:
        """Return nothing: the last event ends the stream."""
        yield from ()

    def whole(self, response: Response, *, first: float | None) -> dict[str, Any]:
        """Return a finished answer as one object; `first` tells the seconds until its first piece."""
        now = self._elapsed()
        message: dict[str, Any] = {"content": _text(response)}
        if thought := response.reasoning_text:
            message["thinking"] = thought
        if calls := response.function_calls:
            message["tool_calls"] = [tool_call(call, number) for number, call in enumerate(calls)]
        parts = [part for item in response.output if isinstance(item, Message) for part in item.content]
        logprobs = [each for part in parts if isinstance(part, OutputText) for each in part.logprobs]
        return self._end(response, message, now, now if first is None else first) | (
            {"logprobs": logprobs} if logprobs else {}
        )

    def _piece(self, message: dict[str, Any], logprobs: tuple[LogProb, ...] = ()) -> bytes:
        now = self._elapsed()
        if self._first is None:
            self._first = now
        more = {"logprobs": logprobs} if logprobs else {}
        return self._line({**self._head(now), **self._said(message), "done": False, **more})

    def _last(self, response: Response) -> bytes:
        now = self._elapsed()
        return self._line(self._end(response, {"content": ""}, now, now if self._first is None else self._first))

    def _end(self, response: Response, message: dict[str, Any], now: float, first: float) -> dict[str, Any]:
        usage = response.usage
        counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens} if usage else {}
        return {
            **self._head(now),
            **self._said(message),
            "done": True,
            "done_reason": done_reason(response),
            "total_duration": _nanoseconds(now),
            "load_duration": 0,
            "prompt_eval_duration": _nanoseconds(first),
            "eval_duration": _nanoseconds(now - first),
            **counts,
        }

    def _said(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"message": {"role": "assistant", **message}}

    def _head(self, now: float) -> dict[str, Any]:
        at = datetime.fromtimestamp(self._created_at + now, UTC).replace(tzinfo=None)
        return {"model": self._model, "created_at": f"{at.isoformat(timespec='microseconds')}Z"}

    def _line(self, body: dict[str, Any]) -> bytes:
        return self._json.encode(body) + b"\n"


class GenerateEncoder(OllamaEncoder):
    """Writes the lines of `/api/generate`, which have the text itself where those of a chat have a message."""

    def _said(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"response": message["content"], **{key: value for key, value in message.items() if key != "content"}}


def _text(response: Response) -> str:
    messages = [item for item in response.output if isinstance(item, Message)]
    return "".join(item.text + item.refusal for item in messages)


def done_reason(response: Response) -> DoneReason:
    """Return why the answer ended, in Ollama's words."""
    details = response.incomplete_details
    return "length" if details is not None and details.reason == "max_output_tokens" else "stop"


def tool_call(call: FunctionCall, index: int) -> dict[str, Any]:
    """Return a call as Ollama tells it: its arguments as an object; what isn't one is the object's only value."""
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        arguments = {"arguments": call.arguments}
    return {"id": call.call_id, "function": {"index": index, "name": call.name, "arguments": arguments}}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
