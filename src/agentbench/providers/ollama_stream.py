"""From the lines of Ollama's own API to events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.response import Usage
from agentbench.providers.counts import count
from agentbench.providers.frames import FrameDecoder, Lines
from agentbench.providers.mask import shown
from agentbench.providers.responses_frames import log_probs

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["OllamaDecoder"]


class _Function(msgspec.Struct):
    name: str = ""
    arguments: dict[str, Any] | str | None = None


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    logprobs: list[dict[str, Any]] | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


class OllamaDecoder(FrameDecoder):
    """Reads an answer's lines from its bytes; the last line may lack its end."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, Lines())
        self._begun = False
        self._calls = 0
        self._json = msgspec.json.Decoder(_Line)

    def feed(self, chunk: bytes) -> list[Event]:
        if not self._begun and (start := chunk.lstrip()):
            self._begun = True
            if not start.startswith(b"{"):
                self._not_ollama()
        return super().feed(chunk)

    def _frame(self, frame: bytes) -> list[Event]:
        if self._builder.outcome == "failed" or not frame.strip():
            return []
        line = self._json.decode(frame)
        if line.error:
            self._builder.fail(
                f"The upstream broke off: {shown(line.error)}", code="upstream_error", kind="upstream_error"
            )
            return []
        if line.message is None and not line.done:
            self._not_ollama()
            return []
        out = [] if line.message is None else self._message(line.message, line.logprobs)
        if line.done:
            self._finish(line)
        return out

    def _message(self, message: _Message, raw: list[dict[str, Any]] | None) -> list[Event]:
        builder = self._builder
        out = builder.reasoning(message.thinking or "")
        if message.content:  # what is told of the tokens of a thought has no place in an answer
            out += builder.text(message.content, logprobs=log_probs(raw))
        for call in message.tool_calls or ():
            out += self._call(call)
        return out

    def _call(self, call: _ToolCall) -> list[Event]:
        self._calls += 1
        arguments = call.function.arguments or {}
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        out = self._builder.call(self._calls, name=call.function.name, call_id=call.id, arguments=arguments)
        return out + self._builder.call_done(self._calls)

    def _finish(self, line: _Line) -> None:
        read, made = count(line.prompt_eval_count), count(line.eval_count)
        if read is not None or made is not None:
            self._builder.usage(Usage.of(read or 0, made or 0))
        if line.done_reason == "length":
            self._builder.cut("max_output_tokens")
        else:
            self._builder.stop()

    def _not_ollama(self) -> None:
        self._builder.fail("The upstream doesn't speak Ollama's API. Check baseURL.", code="upstream_garbled")
