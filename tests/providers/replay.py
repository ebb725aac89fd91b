"""Recorded answers of upstreams, and what becomes of them in a provider's decoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec
from tests.providers.bedrock_frames import as_frames

from agentbench.protocol import CreateResponse, EventBuilder, Response, collect, draft
from agentbench.protocol.content import ReasoningText
from agentbench.protocol.items import FunctionCall, Item, Message, Reasoning
from agentbench.providers.anthropic_stream import AnthropicDecoder
from agentbench.providers.assistants_stream import AssistantsDecoder
from agentbench.providers.bedrock_stream import BedrockDecoder
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.google_stream import GoogleDecoder
from agentbench.providers.ollama_stream import OllamaDecoder
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentbench.protocol import Event, Usage
    from agentbench.providers.base import Decoder

__all__ = [
    "ALL_FOUR",
    "DECODERS",
    "JEJU",
    "RECORDINGS",
    "SAID",
    "SEOUL",
    "THOUGHT_AND_SAID",
    "TWO_CALLS",
    "Shape",
    "Told",
    "chat",
    "frames",
    "recorded",
    "replay",
    "tokens",
    "told",
]

Shape: TypeAlias = "tuple[type[Item], ...]"
SEOUL, JEJU = ("get_weather", '{"city":"Seoul"}'), ("get_weather", '{"city":"Jeju"}')
SAID: Shape = (Message,)
THOUGHT_AND_SAID: Shape = (Reasoning, Message)
TWO_CALLS: Shape = (FunctionCall, FunctionCall)
ALL_FOUR: Shape = (Reasoning, Message, FunctionCall, FunctionCall)

RECORDINGS = Path(__file__).parent.parent / "recordings"
DECODERS: dict[str, Callable[[EventBuilder], Decoder]] = {
    "anthropic": AnthropicDecoder,
    "assistants": AssistantsDecoder,
    "bedrock": BedrockDecoder,
    "google": GoogleDecoder,
    "ollama": OllamaDecoder,
    "openai_chat": ChatDecoder,
    "openai_responses": ResponsesDecoder,
}
"""By folder of recordings; `expected_FOLDER.py` says what each of them must become."""


class Told(NamedTuple):
    """What a response tells, without ids and times; `usage` is input, output, cached and reasoning tokens."""

    status: str = "completed"
    text: str = ""
    thought: str = ""
    summary: tuple[str, ...] = ()
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    usage: tuple[int, int, int, int] | None = None
    why: str | None = None


def recorded(name: str) -> bytes:
    """Return a recording's bytes; a whole JSON answer as the one event that the HTTP client makes of it.

    Bedrock's are kept as JSON lines and become binary frames again.
    """
    data = (RECORDINGS / name).read_bytes()
    if name.startswith("bedrock/"):
        return as_frames(data)
    return b"data: " + msgspec.json.format(data, indent=-1) + b"\n\n" if name.endswith(".json") else data


def replay(provider: str, chunks: Iterable[bytes]) -> list[Event]:
    """Return the whole stream of events that the pieces make, as `play` and its caller would."""
    builder = EventBuilder(draft(CreateResponse(), model="small", response_id="resp_1"), clock=lambda: 1000.0)
    decoder = DECODERS[provider](builder)
    events = builder.start()
    for chunk in chunks:
        events += decoder.feed(chunk)
        if builder.outcome == "failed":
            break
    events += decoder.close()
    return events + builder.finish()


def frames(*data: object, end: bytes = b"") -> bytes:
    """Return server-sent events with these values as JSON."""
    return b"".join(b"data: " + msgspec.json.encode(each) + b"\n\n" for each in data) + end


def chat(*deltas: dict[str, object], finish: str | None = "stop", end: bytes = b"data: [DONE]\n\n") -> Response:
    """Return the response that chat deltas make, which end with a finish reason."""
    chunks: list[object] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    if finish is not None:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return collect(replay("openai_chat", [frames(*chunks, end=end)]))


def tokens(usage: Usage) -> tuple[int, int, int, int]:
    """Return input, output, cached and reasoning tokens."""
    cached, reasoning = usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens
    return usage.input_tokens, usage.output_tokens, cached, reasoning


def told(response: Response) -> Told:
    """Return what a response tells."""
    thoughts = [item for item in response.output if isinstance(item, Reasoning)]
    raw = [part.text for item in thoughts for part in item.content or () if isinstance(part, ReasoningText)]
    why = response.error.message if response.error else None
    return Told(
        status=response.status,
        text=response.output_text,
        thought="".join(raw),
        summary=tuple(getattr(part, "text", "") for item in thoughts for part in item.summary),
        refusal="".join(getattr(item, "refusal", "") for item in response.output),
        calls=tuple((call.name, call.arguments) for call in response.function_calls),
        usage=None if response.usage is None else tokens(response.usage),
        why=response.incomplete_details.reason if response.incomplete_details else why,
    )
