"""From the chunks of Gemini's `streamGenerateContent` to events.

Only the fields that matter are parsed. Summaries of thoughts become a reasoning summary; a part's thought signature
becomes the sealed copy of a reasoning item, which `google_contents` puts back on its part. Pictures and code that the
model's own tools make are passed over.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.content import LogProb, TopLogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.counts import told_counts
from agentbench.providers.frames import FrameDecoder
from agentbench.providers.google_contents import CALL_SEAL, TEXT_SEAL
from agentbench.providers.mask import shown
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["GoogleDecoder"]

_CUTS = dict.fromkeys(("MAX_TOKENS", "CONTINUATION"), "max_output_tokens") | dict.fromkeys(
    (
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "ESCALATION",
        "MODEL_ARMOR",
    ),
    "content_filter",
)
"""The finish reasons that mean an early end; any other but STOP means that the answer is no good."""
_WHY = {
    "MALFORMED_FUNCTION_CALL": "the model wrote a function call that can't be read. Try again.",
    "UNEXPECTED_TOOL_CALL": "the model called a function that it wasn't offered. Try again.",
    "MISSING_THOUGHT_SIGNATURE": "the conversation lacks a signature of the model's. Start a new one.",
}
_LONGEST_TAIL = 64 * 1024
_UNFRAMED = re.compile(rb"(?:\A|[\r\n])([\[{].*)", re.DOTALL)  # no line of an event begins like JSON


class _Wire(msgspec.Struct, rename="camel"):
    """An object on the wire."""


class _FunctionCall(_Wire):
    id: str | None = None
    name: str | None = None
    args: dict[str, Any] | None = None


class _Part(_Wire):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None


class _Content(_Wire):
    parts: list[_Part] | None = None


class _Token(_Wire):
    token: str = ""
    log_probability: float = 0.0


class _Tokens(_Wire):
    candidates: list[_Token] | None = None


class _LogProbs(_Wire):
    chosen_candidates: list[_Token] | None = None
    top_candidates: list[_Tokens] | None = None


class _Source(_Wire):
    uri: str | None = None
    title: str | None = None


class _GroundingChunk(_Wire):
    web: _Source | None = None
    maps: _Source | None = None
    retrieved_context: _Source | None = None

    @property
    def source(self) -> _Source:
        return self.web or self.maps or self.retrieved_context or _Source()


class _Segment(_Wire):
    start_index: int = 0
    end_index: int = 0


class _Support(_Wire):
    segment: _Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class _Grounding(_Wire):
    grounding_chunks: list[_GroundingChunk] | None = None
    grounding_supports: list[_Support] | None = None


class _Candidate(_Wire):
    index: int | None = None
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    logprobs_result: _LogProbs | None = None
    grounding_metadata: _Grounding | None = None


class _PromptFeedback(_Wire):
    block_reason: str | None = None


class _Usage(_Wire):
    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None


class _Chunk(_Wire):
    """The parts of a `GenerateContentResponse`, or of an error, that events are made from."""

    candidates: list[_Candidate] | None = None
    prompt_feedback: _PromptFeedback | None = None
    usage_metadata: Any = None
    error: Any = None


class GoogleDecoder(FrameDecoder):
    """Reads a server-sent stream, a whole answer, or the array of answers that comes without `alt=sse`."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, SSEDecoder())
        self._json = msgspec.json.Decoder(_Chunk | list[_Chunk])
        self._count = 0  # of events
        self._tail = b""  # what came since the last whole one
        self._calls = 0
        self._usage: _Usage | None = None
        self._said: list[str] = []  # the text of the message that is open
        self._seal: str | None = None  # of that text; told once the text is over
        self._cited: set[UrlCitation] = set()

    def feed(self, chunk: bytes) -> list[Event]:
        before = self._count
        out = super().feed(chunk)
        self._tail = chunk if self._count > before else (self._tail + chunk)[-_LONGEST_TAIL:]
        return out

    def _at_end(self) -> list[Event]:
        out: list[Event] = []
        if self._builder.outcome is None and (unframed := _UNFRAMED.search(self._tail)):
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                out += self._frame(unframed[1])  # this is how the API tells an error in the middle
        out += self._seal_text()
        if self._usage is not None:
            self._builder.usage(_usage(self._usage))
        return out + super()._at_end()

    def _frame(self, frame: bytes) -> list[Event]:
        self._count += 1
        chunks = self._json.decode(frame)
        out: list[Event] = []
        for chunk in chunks if isinstance(chunks, list) else (chunks,):
            if self._builder.outcome != "failed":
                out += self._chunk(chunk)
        return out

    def _chunk(self, chunk: _Chunk) -> list[Event]:
        if chunk.error:
            self._fail(chunk.error)
            return []
        if (told := told_counts(chunk.usage_metadata, _Usage)) is not None and told.prompt_token_count is not None:
            self._usage = told  # comes again and again; the last one counts
        out: list[Event] = []
        for candidate in chunk.candidates or ():
            if not candidate.index:
                out += self._candidate(candidate)
        if not chunk.candidates and chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self._builder.cut("content_filter")
        return out

    def _candidate(self, candidate: _Candidate) -> list[Event]:
        out: list[Event] = []
        logprobs = () if candidate.logprobs_result is None else _log_probs(candidate.logprobs_result)
        for part in (candidate.content.parts or ()) if candidate.content is not None else ():
            if part.function_call is not None:
                out += self._call(part.function_call, part.thought_signature)
            elif part.thought:
                out += self._thought(part.text or "")
            else:
                out += self._text(part, logprobs)
                logprobs = ()
        if candidate.grounding_metadata is not None:
            out += self._citations(candidate.grounding_metadata)
        if candidate.finish_reason:
            self._finish(candidate.finish_reason, candidate.finish_message)
        return out

    # -- parts -------------------------------------------------------------------------------------------------

    def _text(self, part: _Part, logprobs: tuple[LogProb, ...]) -> list[Event]:
        self._seal = part.thought_signature or self._seal
        if not part.text:  # often all there is beside a signature
            return []
        self._said.append(part.text)
        return self._builder.text(part.text, logprobs=logprobs)

    def _thought(self, text: str) -> list[Event]:
        return self._seal_text() + self._builder.reasoning_summary(text)

    def _call(self, call: _FunctionCall, signature: str | None) -> list[Event]:
        out = self._seal_text()
        if signature:
            out += self._builder.reasoning_sealed(CALL_SEAL + signature)
        self._calls += 1
        arguments = msgspec.json.encode(call.args or {}).decode()
        out += self._builder.call(self._calls, name=call.name or "", call_id=call.id or None, arguments=arguments)
        return out + self._builder.call_done(self._calls)

    def _seal_text(self) -> list[Event]:
        """Tell of the signature of the text before this, in a reasoning item that ends here."""
        seal, self._seal = self._seal, None
        self._said.clear()
        if seal is None:
            return []
        return self._builder.reasoning_sealed(TEXT_SEAL + seal) + self._builder.end_item()

    def _citations(self, grounding: _Grounding) -> list[Event]:
        text, chunks = "".join(self._said).encode(), grounding.grounding_chunks or ()
        if not text:
            return []
        out: list[Event] = []
        for support in grounding.grounding_supports or ():
            for index in support.grounding_chunk_indices or ():
                source = chunks[index].source if 0 <= index < len(chunks) else _Source()
                citation = _citation(source, support.segment or _Segment(), text)
                if source.uri and citation not in self._cited:
                    self._cited.add(citation)
                    out += self._builder.annotation(citation)
        return out

    # -- the end -----------------------------------------------------------------------------------------------

    def _finish(self, reason: str, message: str | None) -> None:
        if reason in _CUTS:
            self._builder.cut(_CUTS[reason])
        elif reason == "STOP":
            self._builder.stop()
        elif reason != "FINISH_REASON_UNSPECIFIED":
            self._fail(_WHY.get(reason) or f"{reason}. {message or ''}")

    def _fail(self, error: Any) -> None:
        told = error if isinstance(error, dict) else {"message": error}
        said = shown(told.get("message") or told.get("status") or "no reason given")
        self._builder.fail(f"The upstream broke off: {said}", code="upstream_error", kind="upstream_error")


def _citation(source: _Source, segment: _Segment, text: bytes) -> UrlCitation:
    """Return a citation with offsets in characters; the wire has them in bytes."""
    start, end = (len(text[:at].decode(errors="ignore")) for at in (segment.start_index, segment.end_index))
    return UrlCitation(url=source.uri or "", title=source.title or "", start_index=start, end_index=end)


def _log_probs(told: _LogProbs) -> tuple[LogProb, ...]:
    chosen, tops = told.chosen_candidates or [], told.top_candidates or []
    tops = tops + [_Tokens()] * (len(chosen) - len(tops))
    return tuple(
        LogProb(
            token=token.token,
            logprob=token.log_probability,
            top_logprobs=tuple(TopLogProb(token=t.token, logprob=t.log_probability) for t in top.candidates or ()),
        )
        for token, top in zip(chosen, tops, strict=False)
    )


def _usage(told: _Usage) -> Usage:
    thoughts = told.thoughts_token_count or 0
    return Usage.of(
        (told.prompt_token_count or 0) + (told.tool_use_prompt_token_count or 0),
        (told.candidates_token_count or 0) + thoughts,
        cached=told.cached_content_token_count or 0,
        reasoning=thoughts,
        total=told.total_token_count,
    )
