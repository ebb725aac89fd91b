"""The `local` endpoint: a GGUF model inside this process, through llama.cpp. No key, no network, no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.content import InputFile, InputImage, InputVideo
from agentbench.protocol.items import Message
from agentbench.providers.chat_stream import ChatChunk, ChatStream
from agentbench.providers.openai_chat import encode_chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder

__all__ = ["LlamaCpp"]

_Batch = Sequence[Mapping[str, Any]]
_NOT_TEXT = InputImage | InputFile | InputVideo


class LlamaCpp:
    """Models that run in this process."""

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:
        if any(
            isinstance(item, Message) and any(isinstance(p, _NOT_TEXT) for p in item.content) for item in request.input
        ):
            raise InvalidRequest(
                f"{endpoint.name}/{request.model} reads text only. For images use another model: -m ENDPOINT/MODEL.",
                param="input",
            )
        return encode_chat(request)

    def decoder(self, builder: EventBuilder) -> _Decoder:
        return _Decoder(builder)

    @asynccontextmanager
    async def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AsyncIterator[AsyncIterator[_Batch]]:
        from agentbench.providers.llama_engine import engine_for

        model = str(wire["model"])
        path = await anyio.to_thread.run_sync(partial(_weights, model, endpoint))
        length = endpoint.context_lengths.get(model)
        engine = await anyio.to_thread.run_sync(partial(engine_for, path, context_length=length))
        async with aclosing(engine.chat(wire)) as batches:
            first = await anext(batches)  # what the engine refuses, it refuses here: before the answer begins
            yield _joined(first, batches)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return endpoint.models


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


class _Decoder:
    def __init__(self, builder: EventBuilder) -> None:
        self._stream = ChatStream(builder)

    def feed(self, chunks: _Batch) -> list[Event]:
        out: list[Event] = []
        for chunk in chunks:
            out += self._stream.chunk(msgspec.convert(chunk, ChatChunk))
        return out

    def close(self) -> list[Event]:
        return self._stream.close()
