"""From the objects of an assistant upstream to events, be they streamed or found by looking.

What the objects are about is in themselves, so the names of the streamed events aren't needed. A message may be told
in deltas, whole, or both; each part of it is told once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from agentbench.protocol import Usage
from agentbench.providers.assistants_parts import Files, MessageParts, dicts
from agentbench.providers.assistants_shapes import UpstreamRun, told_usage
from agentbench.providers.frames import FrameDecoder
from agentbench.providers.mask import shown
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from agentbench.protocol import Event, EventBuilder

__all__ = ["AssistantsDecoder", "Piece", "Told"]

_EXPIRED = "The run expired upstream: it took too long, or nobody gave it its tools' outputs in time. Ask again."


class Told(Files, Protocol):
    """What a session knows that the stream doesn't tell."""

    builder: EventBuilder | None
    """Set by the decoder, for what is told after the last piece."""
    spent: Usage | None
    """What runs before this one took that nobody has counted yet."""

    @property
    def seal(self) -> str | None:
        """What lets the next turn go on from here, once that is known."""

    def without_secrets(self, text: object) -> str:
        """Return the beginning of what the upstream says, without its key and header values."""


class Piece(NamedTuple):
    """Whole frames, and the session that they belong to."""

    told: Told
    frames: list[bytes]


class _Frame(msgspec.Struct):
    """Any object of the stream."""

    object: str = ""
    id: str = ""
    role: str | None = None
    status: str | None = None
    content: tuple[dict[str, Any], ...] | None = None
    delta: dict[str, Any] | None = None
    step_details: dict[str, Any] | None = None
    error: Any = None
    message: Any = None


class AssistantsDecoder(FrameDecoder):
    """Reads what an assistant upstream tells: bytes of its stream, or pieces of a session."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, SSEDecoder())
        self._json = msgspec.json.Decoder(_Frame)
        self._runs = msgspec.json.Decoder(UpstreamRun)
        self._told: Told | None = None
        self._is_sealed = False
        self._says = MessageParts(builder)
        self._steps: set[str] = set()  # that were told

    def feed(self, chunk: bytes | Piece) -> list[Event]:
        if isinstance(chunk, bytes):
            return super().feed(chunk)
        self._told = chunk.told
        self._told.builder = self._builder
        self._says.files = chunk.told
        out = self._sealed()
        for frame in chunk.frames:
            out += super().feed(b"data: " + frame.replace(b"\n", b" ") + b"\n\n")
        return out

    def _sealed(self) -> list[Event]:
        seal = None if self._is_sealed or self._told is None else self._told.seal
        if seal is None:
            return []
        self._is_sealed = True
        return [
            *self._builder.reasoning_begins(None),
            *self._builder.reasoning_sealed(seal),
            *self._builder.end_item(),
        ]

    def _frame(self, data: bytes) -> list[Event]:
        if self._builder.outcome == "failed" or data == b"[DONE]":
            return []
        frame = self._json.decode(data)
        match frame.object:
            case "thread.message.delta":
                return self._says.more(frame.id, (frame.delta or {}).get("content"))
            case "thread.message":
                return [] if frame.role == "user" else self._says.whole(frame.id, frame.content)
            case "thread.run.step":
                return self._step(frame)
            case "thread.run":
                return self._run(self._runs.decode(data))
        return self._fail(frame) if frame.error or frame.message else []

    # -- the run ------------------------------------------------------------------------------------------------

    def _run(self, run: UpstreamRun) -> list[Event]:
        if run.calls:
            return self._calls(run)
        if run.status == "requires_action":
            self._builder.fail("The run asks for what can't be given here.", code="unsupported_action")
        elif run.status in ("cancelling", "cancelled"):
            self._builder.cut("cancelled")
        elif run.status == "expired":
            self._builder.fail(_EXPIRED, code="run_expired", kind="upstream_error")
        elif run.status == "failed":
            error = run.last_error
            said = self._shown((error and error.message) or "no reason given")
            code = error.code if error is not None and isinstance(error.code, str) else "upstream_error"
            self._builder.fail(f"The run failed upstream: {said}", code=code, kind="upstream_error")
        elif run.status == "incomplete":
            self._builder.cut(_reason(run))
        elif run.status == "completed":
            self._builder.stop()
        return self._used(run) if run.has_ended else []

    def _calls(self, run: UpstreamRun) -> list[Event]:
        out: list[Event] = []
        for call in run.calls:
            name, arguments = call.function.name, call.function.arguments or ""
            out += self._builder.call(call.id, name=name, call_id=call.id, arguments=arguments)
            out += self._builder.call_done(call.id)
        self._builder.usage(self._spent or Usage.of(0, 0))  # the run's own are told at its end
        self._builder.stop()
        return out

    def _used(self, run: UpstreamRun) -> list[Event]:
        usage = told_usage(run)
        if usage is not None:
            self._builder.usage(usage if self._spent is None else usage + self._spent)
        return []

    @property
    def _spent(self) -> Usage | None:
        return None if self._told is None else self._told.spent

    def _shown(self, text: object) -> str:
        return shown(text) if self._told is None else self._told.without_secrets(text)

    def _fail(self, frame: _Frame) -> list[Event]:
        error = frame.error if isinstance(frame.error, dict) else {"message": frame.error or frame.message}
        said = self._shown(error.get("message") or "no reason given")
        self._builder.fail(f"The upstream broke off: {said}", code="upstream_error", kind="upstream_error")
        return []

    # -- what it does -------------------------------------------------------------------------------------------

    def _step(self, frame: _Frame) -> list[Event]:
        """Tell of code that has run, as a part of the reasoning."""
        details = frame.step_details or {}
        if frame.status == "in_progress" or details.get("type") != "tool_calls" or frame.id in self._steps:
            return []
        ran = [text for call in dicts(details.get("tool_calls")) if (text := _code(call))]
        if not ran:
            return []
        self._steps.add(frame.id)
        return [*self._builder.end_item(), *self._builder.reasoning("\n\n".join(ran)), *self._builder.end_item()]


def _reason(run: UpstreamRun) -> str:
    reason = run.incomplete_details.reason if run.incomplete_details else None
    return "max_output_tokens" if reason in (None, "max_completion_tokens") else reason


def _code(call: dict[str, Any]) -> str:
    """Return code and what it printed as Markdown; nothing for other tools."""
    told = call.get("code_interpreter")
    if not isinstance(told, dict):
        return ""
    logs = [str(each.get("logs") or "") for each in dicts(told.get("outputs")) if each.get("type") == "logs"]
    printed = "".join(f"\n\n{_fenced(text)}" for text in logs if text)
    return _fenced(str(told.get("input") or ""), "python") + printed


def _fenced(text: str, language: str = "") -> str:
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in re.findall("`+", text)), 3)
    return f"{fence}{language}\n{text.strip()}\n{fence}"
