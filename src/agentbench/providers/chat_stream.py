"""From the chunks of Chat Completions to events.

`ChatStream` takes chunks as values and serves every upstream of this shape; `ChatDecoder` reads them from the bytes
of a server-sent stream. Only the fields that matter are parsed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.counts import told_counts
from agentbench.providers.frames import FrameDecoder, read_together
from agentbench.providers.mask import shown
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["ChatChunk", "ChatDecoder", "ChatStream"]

_DONE = b"[DONE]"
_CUTS = {
    "length": "max_output_tokens",
    "model_length": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "content_filter": "content_filter",
    "abort": "interrupted",
    "insufficient_system_resource": "interrupted",
}
"""The finish reasons that mean an early end; any other means that the model was done."""


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | list[_Part] | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None
    annotations: list[dict[str, Any]] | None = None


class _LogProbs(msgspec.Struct, gc=False):
    content: list[dict[str, Any]] | None = None


class _Choice(msgspec.Struct, gc=False):
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
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    total_tokens: int | None = None


class ChatChunk(msgspec.Struct, gc=False):
    """The parts of a `chat.completion.chunk`, or of a whole `chat.completion`, that events are made from."""

    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


class _Call(msgspec.Struct):
    """A tool call that has begun."""

    key: int
    id: str | None
    named: bool


class ChatStream:
    """Tells a builder what chunks say. Ends as soon as an error is told."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._usage: _Usage | None = None
        self._calls: dict[int, _Call] = {}
        self._begun = 0
        self._last = 0

    def chunk(self, chunk: ChatChunk) -> list[Event]:
        """Return the events of one chunk."""
        if chunk.error:
            self._fail(chunk.error)
            return []
        if (told := told_counts(chunk.usage, _Usage)) is not None and told.completion_tokens is not None:
            self._usage = told  # where it comes again and again, the last one counts
        out: list[Event] = []
        for choice in chunk.choices or ():
            if choice.index == 0:
                out += self._choice(choice)
        return out

    def chunks(self, chunks: list[ChatChunk]) -> list[Event]:
        """Return the events of several chunks. Mostly each is a piece of text and nothing else."""
        out: list[Event] = []
        texts: list[str] = []
        for chunk in chunks:
            if (text := _plain_text(chunk)) is not None:
                texts.append(text)
                continue
            out += self._builder.texts(texts)
            texts = []
            out += self.chunk(chunk)
            if self._builder.outcome == "failed":
                return out
        return out + self._builder.texts(texts)

    def close(self) -> list[Event]:
        """Close the items and hand in the usage."""
        if self._usage is not None:
            self._builder.usage(_usage(self._usage))
        return self._builder.close_items("completed" if self._builder.outcome == "completed" else "incomplete")

    def _choice(self, choice: _Choice) -> list[Event]:
        delta = choice.delta or choice.message
        out: list[Event] = [] if delta is None else self._delta(delta, choice.logprobs)
        if choice.finish_reason:
            self._finish(choice.finish_reason)
        return out

    def _delta(self, delta: _Delta, logprobs: _LogProbs | None) -> list[Event]:
        builder = self._builder
        out = builder.reasoning(delta.reasoning_content or delta.reasoning or "")
        if delta.content:
            out += self._content(delta.content, logprobs)
        if delta.refusal:
            out += builder.refusal(delta.refusal)
        for annotation in delta.annotations or ():
            if (citation := _citation(annotation)) is not None:
                out += builder.annotation(citation)
        for position, call in enumerate(delta.tool_calls or ()):
            out += self._call(position, call)
        return out

    def _content(self, content: str | list[_Part], logprobs: _LogProbs | None) -> list[Event]:
        if isinstance(content, str):
            told = () if logprobs is None or not logprobs.content else tuple(map(_logprob, logprobs.content))
            return self._builder.text(content, logprobs=told)
        out: list[Event] = []
        for part in content:
            out += self._builder.reasoning(_thought(part.thinking))
            out += self._builder.text(part.text or "")
        return out

    def _call(self, position: int, piece: _ToolCall) -> list[Event]:
        function = piece.function or _Function()
        name, arguments = function.name or "", function.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        self._last = index = self._index(position, piece.index, name)
        call = self._calls.get(index)
        if call is None or (name and call.named and _is_another(call, piece.id, arguments)):
            self._begun += 1
            call = self._calls[index] = _Call(key=self._begun, id=None, named=False)
        call.id = call.id or piece.id
        call.named = call.named or bool(name)
        return self._builder.call(call.key, name=name, call_id=piece.id, arguments=arguments)

    def _index(self, position: int, index: int | None, name: str) -> int:
        """Return a piece's index. Where a server gives none, a name begins a call and the rest belongs to the last."""
        if index is not None:
            return index
        return position if name else self._last

    def _finish(self, reason: str) -> None:
        if reason in _CUTS:
            self._builder.cut(_CUTS[reason])
        elif reason == "error":
            self._builder.fail("The upstream reports an error at the end of its answer.", code="upstream_error")
        else:
            self._builder.stop()

    def _fail(self, error: Any) -> None:
        told = error if isinstance(error, dict) else {"message": error}
        said = told.get("message") or told.get("type") or "no reason given"
        self._builder.fail(f"The upstream broke off: {shown(said)}", code="upstream_error", kind="upstream_error")


class ChatDecoder(FrameDecoder):
    """Reads chunks from the bytes of a server-sent stream."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, SSEDecoder())
        self._stream = ChatStream(builder)
        self._json = msgspec.json.Decoder(ChatChunk)

    def _frames(self, frames: list[bytes]) -> list[Event]:
        is_last = bool(frames) and frames[-1] == _DONE
        chunks = read_together(frames[:-1] if is_last else frames, self._json)
        if chunks is None or self._builder.outcome == "failed":
            return super()._frames(frames)
        out = self._stream.chunks(chunks)
        return out + self._frame(_DONE) if is_last else out

    def _frame(self, frame: bytes) -> list[Event]:
        if self._builder.outcome == "failed":
            return []
        if frame == _DONE:
            self._builder.stop()
            return []
        return self._stream.chunk(self._json.decode(frame))

    def _at_end(self) -> list[Event]:
        return self._stream.close()


def _plain_text(chunk: ChatChunk) -> str | None:
    """Return the text of a chunk that holds nothing else."""
    choices = chunk.choices
    if not choices or len(choices) > 1 or chunk.usage is not None or chunk.error is not None:
        return None
    choice = choices[0]
    delta = choice.delta
    if delta is None or choice.finish_reason is not None or choice.logprobs is not None or choice.index:
        return None
    if delta.tool_calls is not None or delta.annotations is not None:
        return None
    is_plain = delta.reasoning_content is None and delta.reasoning is None and delta.refusal is None
    return delta.content if is_plain and isinstance(delta.content, str) else None


def _is_another(call: _Call, call_id: str | None, arguments: str) -> bool:
    """Tell whether a named piece begins the next call at an index that is taken: some servers use but one index.

    Then its id is another; or, where calls have no ids, each comes with its arguments whole.
    """
    if call_id and call.id:
        return call_id != call.id
    return arguments.startswith("{") and arguments.endswith("}")


def _thought(thinking: str | list[_Part] | None) -> str:
    if isinstance(thinking, list):
        return "".join(part.text or "" for part in thinking)
    return thinking or ""


def _logprob(raw: dict[str, Any]) -> LogProb:
    given = {key: value for key, value in raw.items() if value is not None}
    given["top_logprobs"] = [{k: v for k, v in top.items() if v is not None} for top in given.get("top_logprobs", [])]
    return msgspec.convert(given, LogProb)


def _citation(raw: dict[str, Any]) -> UrlCitation | None:
    inner = raw.get("url_citation")
    given = {key: value for key, value in (inner if isinstance(inner, dict) else raw).items() if value is not None}
    try:
        return msgspec.convert(
            {"title": "", "start_index": 0, "end_index": 0, **given, "type": "url_citation"}, UrlCitation
        )
    except msgspec.ValidationError:
        return None


def _usage(usage: _Usage) -> Usage:
    prompt = usage.prompt_tokens_details or _PromptDetails()
    completion = usage.completion_tokens_details or _CompletionDetails()
    return Usage.of(
        usage.prompt_tokens or 0,
        usage.completion_tokens or 0,
        cached=prompt.cached_tokens or usage.prompt_cache_hit_tokens or 0,
        cache_write=prompt.cache_write_tokens or 0,
        reasoning=completion.reasoning_tokens or 0,
        total=usage.total_tokens,
    )
