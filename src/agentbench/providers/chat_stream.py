"""From the chunks of Chat Completions to events.

`ChatStream` takes chunks as values and serves every upstream of this shape; `ChatDecoder` reads them from the bytes
of a server-sent stream. Only the fields that matter are parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Hashable

    from agentbench.protocol import Event, EventBuilder

__all__ = ["ChatChunk", "ChatDecoder", "ChatStream"]


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None
    annotations: list[dict[str, Any]] | None = None


class _LogProbs(msgspec.Struct):
    content: list[dict[str, Any]] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    logprobs: _LogProbs | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None


class ChatChunk(msgspec.Struct):
    """The parts of a `chat.completion.chunk`, or of a whole `chat.completion`, that events are made from."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class ChatStream:
    """Tells a builder what chunks say. Ends as soon as an error is told."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._ids: dict[int, str] = {}
        self._keys: dict[int, Hashable] = {}

    def chunk(self, chunk: ChatChunk) -> list[Event]:
        """Return the events of one chunk."""
        if chunk.error is not None:
            self._fail(chunk.error)
            return []
        if chunk.usage is not None:
            self._builder.usage(_usage(chunk.usage))
        out: list[Event] = []
        for choice in chunk.choices:
            if choice.index == 0:
                out += self._choice(choice)
        return out

    def close(self) -> list[Event]:
        """Close the items."""
        return self._builder.close_items("completed" if self._builder.outcome == "completed" else "incomplete")

    def _choice(self, choice: _Choice) -> list[Event]:
        delta = choice.delta or choice.message
        out: list[Event] = [] if delta is None else self._delta(delta, choice.logprobs)
        if choice.finish_reason is not None:
            self._finish(choice.finish_reason)
        return out

    def _delta(self, delta: _Delta, logprobs: _LogProbs | None) -> list[Event]:
        builder = self._builder
        out = builder.reasoning(delta.reasoning_content or delta.reasoning or "")
        if delta.content:
            told = () if logprobs is None or not logprobs.content else tuple(map(_logprob, logprobs.content))
            out += builder.text(_text(delta.content), logprobs=told)
        if delta.refusal:
            out += builder.refusal(delta.refusal)
        for annotation in delta.annotations or ():
            if (citation := _citation(annotation)) is not None:
                out += builder.annotation(citation)
        for position, call in enumerate(delta.tool_calls or ()):
            out += self._call(position if call.index is None else call.index, call)
        return out

    def _call(self, index: int, call: _ToolCall) -> list[Event]:
        function = call.function or _Function()
        arguments = function.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        key = self._key(index, call.id)
        return self._builder.call(key, name=function.name or "", call_id=call.id, arguments=arguments)

    def _key(self, index: int, call_id: str | None) -> Hashable:
        """Return what tells this call apart: its index, or its id where a server gives every call the same index."""
        if call_id and self._ids.setdefault(index, call_id) != call_id:
            self._ids[index] = call_id
            self._keys[index] = (index, call_id)
        return self._keys.setdefault(index, index)

    def _finish(self, reason: str) -> None:
        if reason == "length":
            self._builder.cut("max_output_tokens")
        elif reason == "content_filter":
            self._builder.cut("content_filter")
        elif reason == "error":
            self._builder.fail("The upstream reports an error at the end of its answer.", code="upstream_error")
        else:
            self._builder.stop()

    def _fail(self, error: Any) -> None:
        said = error.get("message") if isinstance(error, dict) else error
        self._builder.fail(f"The upstream broke off: {said}", code="upstream_error", kind="upstream_error")


class ChatDecoder:
    """Reads chunks from the bytes of a server-sent stream."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._frames = SSEDecoder()
        self._stream = ChatStream(builder)
        self._json = msgspec.json.Decoder(ChatChunk)

    def feed(self, chunk: bytes) -> list[Event]:
        return self._decode(self._frames.feed(chunk))

    def close(self) -> list[Event]:
        return self._decode(self._frames.close()) + self._stream.close()

    def _decode(self, frames: list[bytes]) -> list[Event]:
        out: list[Event] = []
        for frame in frames:
            if self._builder.outcome == "failed":
                break
            if frame == b"[DONE]":
                self._builder.stop()
                continue
            try:
                out += self._stream.chunk(self._json.decode(frame))
            except msgspec.DecodeError as error:
                self._builder.fail(f"The upstream sent a broken piece: {error}.", code="upstream_garbled")
        return out


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if isinstance(part.get("text"), str))


def _logprob(raw: dict[str, Any]) -> LogProb:
    given = {key: value for key, value in raw.items() if value is not None}
    given["top_logprobs"] = [{k: v for k, v in top.items() if v is not None} for top in given.get("top_logprobs", [])]
    return msgspec.convert(given, LogProb)


def _citation(raw: dict[str, Any]) -> UrlCitation | None:
    inner = raw.get("url_citation", raw)
    try:
        return msgspec.convert(
            {"title": "", "start_index": 0, "end_index": 0, **inner, "type": "url_citation"}, UrlCitation
        )
    except msgspec.ValidationError:
        return None


def _usage(usage: _Usage) -> Usage:
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    return Usage.of(
        usage.prompt_tokens,
        usage.completion_tokens,
        cached=prompt.cached_tokens or usage.prompt_cache_hit_tokens or 0,
        cache_write=prompt.cache_write_tokens or 0,
        reasoning=completion.reasoning_tokens or 0,
    )
