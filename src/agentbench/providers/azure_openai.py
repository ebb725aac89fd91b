"""OpenAI's models, and others, as Azure serves them: each model is a deployment, in Chat Completions or Responses.

A key goes into the header `api-key`. An `Authorization` among the headers, such as a bearer token of Entra's, takes its
place. No key may list deployments, so the models are the configured ones.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from agentbench.errors import UnknownName
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.openai_chat import encode_chat
from agentbench.providers.openai_responses import OpenAIResponses
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from agentbench.config.endpoint import Deployment, Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder
    from agentbench.providers.base import Decoder
    from agentbench.providers.embedding import Embedded, TextKind
    from agentbench.providers.http import Http

__all__ = ["AzureOpenAI", "AzureWire"]

_CURRENT = "2024-09"
"""The first API version that knows `max_completion_tokens` and `stream_options`; older ones reject them."""
_BEARER_HOSTS = (".inference.ai.azure.com", ".models.ai.azure.com", ".inference.ml.azure.com")
"""Serverless models of a host of their own, which want the key as a bearer token."""


class AzureWire(NamedTuple):
    """A body, and the deployment that it is for."""

    deployment: Deployment
    body: dict[str, Any]


class _Piece(NamedTuple):
    """A piece of an answer, which Responses or Chat Completions decodes."""

    is_responses: bool
    data: bytes


class AzureOpenAI:
    """An endpoint whose models are deployments on Azure."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._responses = OpenAIResponses(http)

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> AzureWire:
        deployment = _deployment(request.model or "", endpoint)
        if deployment.use_responses_api:
            body = self._responses.encode(request, endpoint)
        else:
            body = _chat_body(request, deployment)
        return AzureWire(deployment, body | {"model": deployment.name})

    def decoder(self, builder: EventBuilder) -> _Decoder:
        return _Decoder(builder)

    @asynccontextmanager
    async def open(self, wire: AzureWire, endpoint: Endpoint) -> AsyncIterator[AsyncIterator[_Piece]]:
        deployment, body = wire
        there = _endpoint_at(deployment, endpoint)
        path = _path("/responses" if deployment.use_responses_api else "/chat/completions", deployment)
        async with (
            self._http.post(path, body, there, headers=_key(there)) as chunks,
            aclosing(_pieces(chunks, deployment)) as pieces,
        ):
            yield pieces

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return tuple(endpoint.deployments)

    async def embed(
        self,
        endpoint: Endpoint,
        model: str,
        texts: Sequence[str],
        kind: TextKind,  # noqa: ARG002 - the wire doesn't tell them apart
        *,
        dimensions: int | None = None,
    ) -> Embedded:
        from agentbench.providers.embedding_wires import openai_embedded

        deployment = _deployment(model, endpoint)
        there, path = _endpoint_at(deployment, endpoint), _path("/embeddings", deployment)
        return await openai_embedded(
            self._http, there, deployment.name, texts, dimensions=dimensions, path=path, headers=_key(there)
        )


class _Decoder:
    """Reads pieces by the decoder that the first one asks for."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._inner: Decoder | None = None

    def feed(self, piece: _Piece) -> list[Event]:
        if self._inner is None:
            self._inner = ResponsesDecoder(self._builder) if piece.is_responses else ChatDecoder(self._builder)
        return self._inner.feed(piece.data)

    def close(self) -> list[Event]:
        return [] if self._inner is None else self._inner.close()


def _deployment(model: str, endpoint: Endpoint) -> Deployment:
    if model not in endpoint.deployments:
        raise UnknownName("model", model, endpoint.deployments, param="model")
    return endpoint.deployments[model]


def _path(path: str, deployment: Deployment) -> str:
    return path if deployment.api_version is None else f"{path}?api-version={deployment.api_version}"


def _chat_body(request: CreateResponse, deployment: Deployment) -> dict[str, Any]:
    body = encode_chat(request)
    if (deployment.api_version or "") < _CURRENT and not deployment.base_url.endswith("/openai/v1"):
        del body["stream_options"]
    elif "max_tokens" in body:
        body["max_completion_tokens"] = body.pop("max_tokens")
    return body


def _endpoint_at(deployment: Deployment, endpoint: Endpoint) -> Endpoint:
    """Return the endpoint as the deployment has it."""
    ours = {name.lower(): value for name, value in endpoint.headers.items()}
    return msgspec.structs.replace(
        endpoint,
        base_url=deployment.base_url,
        api_key=deployment.api_key or endpoint.api_key,
        headers=ours | {name.lower(): value for name, value in deployment.headers.items()},
        add_params={**endpoint.add_params, **deployment.add_params},
        drop_params=(*endpoint.drop_params, *deployment.drop_params),
    )


def _key(endpoint: Endpoint) -> dict[str, str]:
    """Return the headers that carry the key."""
    if endpoint.api_key is None or "authorization" in endpoint.headers:
        return {}
    key = endpoint.api_key.reveal()
    host = urlsplit(endpoint.base_url or "").hostname or ""
    return {"api-key": key} | ({"authorization": f"Bearer {key}"} if host.endswith(_BEARER_HOSTS) else {})


async def _pieces(chunks: AsyncIterator[bytes], deployment: Deployment) -> AsyncGenerator[_Piece]:
    async for chunk in chunks:
        yield _Piece(deployment.use_responses_api, chunk)
