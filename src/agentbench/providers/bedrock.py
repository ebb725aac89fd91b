"""Amazon Bedrock: ConverseStream, or the route that speaks Chat Completions, with a bearer token or signed."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import anyio.to_thread
import msgspec

from agentbench.errors import UpstreamRefused, UpstreamUnavailable
from agentbench.providers.bedrock_auth import Chain, SigV4, need_botocore, static_credentials
from agentbench.providers.bedrock_listing import PROFILES_PATH, TEXT_MODELS_PATH, chat_models, converse_models
from agentbench.providers.bedrock_request import encode_converse
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.openai_chat import OpenAIChat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder
    from agentbench.providers.base import Decoder
    from agentbench.providers.http import Http

__all__ = ["Bedrock"]

_FRAMES = "application/vnd.amazon.eventstream"
_CHAT_ROUTE = "/openai/v1"
_AWS_HOST = re.compile(r"https://bedrock[\w-]*\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)(?=[:/]|$)")


class _Place(NamedTuple):
    """Where requests go and who they come from: `sent` says it to the HTTP client."""

    endpoint: Endpoint
    sent: dict[str, Any]


class Bedrock:
    """Every model on Amazon Bedrock that can hold a conversation.

    An endpoint whose base URL ends in `/openai/v1` speaks Chat Completions. Requests bear the endpoint's key, else they
    are signed with its AWS keys, else with what botocore finds.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._chat = OpenAIChat(http)
        self._chain = Chain()

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:
        return self._chat.encode(request, endpoint) if _speaks_chat(endpoint) else encode_converse(request)

    def decoder(self, builder: EventBuilder) -> Decoder:
        return _Decoder(builder)

    @asynccontextmanager
    async def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AsyncIterator[AsyncIterator[bytes]]:
        place = await self._place(endpoint)
        path, body, sent = "/chat/completions", wire, place.sent
        if not _speaks_chat(endpoint):
            need_botocore()  # it takes the frames apart
            path = f"/model/{quote(wire['modelId'], safe='')}/converse-stream"
            body = {key: value for key, value in wire.items() if key != "modelId"}
            sent = {**place.sent, "accept": _FRAMES}
        try:
            async with self._http.post(path, body, place.endpoint, **sent) as chunks:
                yield chunks
        except UpstreamRefused as error:
            raise UpstreamRefused(f"{error.message} {_hint(error.message)}", endpoint=endpoint.name) from None

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        place = await self._place(endpoint)
        if _speaks_chat(endpoint):
            return chat_models(await self._http.get_json("/models", place.endpoint, **place.sent), endpoint)
        url = place.endpoint.base_url or ""
        at_aws = _AWS_HOST.match(url)
        if at_aws:
            url = f"https://bedrock.{at_aws['region']}.amazonaws.com"
        control = msgspec.structs.replace(place.endpoint, base_url=url)
        models = await self._http.get_json(TEXT_MODELS_PATH, control, **place.sent)
        profiles = await self._http.get_json(PROFILES_PATH, control, **place.sent) if at_aws else {}
        return converse_models(models, profiles, endpoint)

    async def _place(self, endpoint: Endpoint) -> _Place:
        """Return the endpoint with its address, and its signature unless it has a bearer token."""
        at_aws = _AWS_HOST.match(endpoint.base_url or "")
        region = at_aws["region"] if at_aws else endpoint.region
        credentials = None
        if endpoint.api_key is None:
            need_botocore()
            if endpoint.aws_keys is not None:
                credentials = static_credentials(endpoint.aws_keys)
            else:
                credentials, found_region = await anyio.to_thread.run_sync(partial(self._chain.find, endpoint))
                region = region or found_region
        if region is None and not (endpoint.base_url and credentials is None):
            raise _no_region(endpoint)
        url = endpoint.base_url or f"https://bedrock-runtime.{region}.amazonaws.com"
        there = msgspec.structs.replace(endpoint, base_url=url)
        if credentials is None:
            return _Place(there, {})
        service = "bedrock-mantle" if url.startswith("https://bedrock-mantle.") else "bedrock"
        return _Place(there, {"headers": {}, "auth": SigV4(credentials, region=region or "", service=service)})


class _Decoder:
    """Reads whichever of the two streams comes: a binary frame begins with a zero, as it is shorter than 16 MB."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._inner: Decoder | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        if self._inner is None:
            if not chunk:
                return []
            self._inner = self._converse() if chunk.startswith(b"\0") else ChatDecoder(self._builder)
        return self._inner.feed(chunk)

    def close(self) -> list[Event]:
        return [] if self._inner is None else self._inner.close()

    def _converse(self) -> Decoder:
        from agentbench.providers.bedrock_stream import BedrockDecoder

        return BedrockDecoder(self._builder)


def _speaks_chat(endpoint: Endpoint) -> bool:
    return (endpoint.base_url or "").rstrip("/").endswith(_CHAT_ROUTE)


def _no_region(endpoint: Endpoint) -> UpstreamUnavailable:
    return UpstreamUnavailable(
        f"{endpoint.name} has no AWS region. Set endpoints.{endpoint.name}.region in the config file, or AWS_REGION or "
        "BEDROCK_AWS_DEFAULT_REGION.",
        endpoint=endpoint.name,
    )


def _hint(refusal: str) -> str:
    if "expired" in refusal:
        return "Renew the credentials (aws sso login, or new keys)."
    return "Is access to the model enabled for this account and region?"
