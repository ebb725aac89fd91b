"""The `local` endpoint: a GGUF model inside this process, through llama.cpp. No key, no network, no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import anyio.to_thread
import msgspec

from agentbench.config import LOCAL_MODEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.content import InputFile, InputImage, InputVideo
from agentbench.protocol.items import Message
from agentbench.protocol.response import Usage
from agentbench.providers.cassettes.deck import Asked, Deck
from agentbench.providers.chat_stream import ChatChunk, ChatStream
from agentbench.providers.openai_chat import encode_chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder
    from agentbench.providers.embedding import Embedded, TextKind

__all__ = ["LlamaCpp"]

T = TypeVar("T")
_Batch = Sequence[Mapping[str, Any]]
_RAMBLING = 1024
"""Tokens after which the built-in model's answer ends, where nobody says: it is so small that some never would."""
_NOT_TEXT = InputImage | InputFile | InputVideo


class LlamaCpp:
    """Models that run in this process."""

    def __init__(self, deck: Deck | None = None) -> None:
        self._deck = deck or Deck()

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:
        if any(
            isinstance(item, Message) and any(isinstance(p, _NOT_TEXT) for p in item.content) for item in request.input
        ):
            raise InvalidRequest(
                f"{endpoint.name}/{request.model} reads text only. For images use another model: -m ENDPOINT/MODEL.",
                param="input",
            )
        body = encode_chat(request) | {"timings_per_token": True}
        return body if request.model != LOCAL_MODEL else {"max_tokens": _RAMBLING, **body}

    def decoder(self, builder: EventBuilder) -> _Decoder:
        return _Decoder(builder)

    @asynccontextmanager
    async def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AsyncIterator[AsyncIterator[_Batch]]:
        tape, run = self._deck.tape, partial(self._run, wire, endpoint)
        asked = Asked(kind="model", name=endpoint.name, body=wire)
        async with run() if tape is None else tape.stream(asked, run) as batches:
            yield batches

    @asynccontextmanager
    async def _run(self, wire: dict[str, Any], endpoint: Endpoint) -> AsyncIterator[AsyncIterator[_Batch]]:
        from agentbench.providers.llama_engine import engine_for

        model = str(wire["model"])
        path = await _on_a_thread(partial(_weights, model, endpoint))
        engine = await _on_a_thread(partial(engine_for, path, context_length=endpoint.context_lengths.get(model)))
        async with aclosing(engine.chat(wire)) as batches:
            first = await anext(batches)  # what the engine refuses, it refuses here: before the answer begins
            yield _joined(first, batches)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return endpoint.models

    async def embed(
        self, _: Endpoint, model: str, texts: Sequence[str], kind: TextKind, *, dimensions: int | None = None
    ) -> Embedded:
        from agentbench.providers.nano_e5 import embedded

        return await embedded(model, texts, kind, dimensions=dimensions)


async def _on_a_thread(work: Callable[[], T]) -> T:
    """Wait for blocking work; whoever stops waiting leaves it to finish, for the next one who asks."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def _joined(first: _Batch, rest: AsyncIterator[_Batch]) -> AsyncIterator[_Batch]:
    yield first
    async for batch in rest:
        yield batch


def _weights(model: str, endpoint: Endpoint) -> Path:
    """Return the file of a model: one that the config names, or one that agentbench knows how to fetch."""
    from agentbench.providers import weights

    if model in endpoint.files:
        return weights.find_file(endpoint.files[model])
    if model not in endpoint.models:
        raise UnknownName("model", f"{endpoint.name}/{model}", endpoint.models, param="model")
    return weights.find(model) or weights.pull(model)


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0


class _Chunk(ChatChunk):
    timings: _Timings | None = None


class _Decoder:
    """Reads chunks that count as they go, so that an answer which is stopped half-way is counted too."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._stream = ChatStream(builder)

    def feed(self, chunks: _Batch) -> list[Event]:
        out: list[Event] = []
        for raw in chunks:
            chunk = msgspec.convert(raw, _Chunk)
            if (timings := chunk.timings) is not None:
                read = timings.cache_n + timings.prompt_n
                self._builder.usage(Usage.of(read, timings.predicted_n, cached=timings.cache_n))
            out += self._stream.chunk(chunk)
        return out

    def close(self) -> list[Event]:
        return self._stream.close()
