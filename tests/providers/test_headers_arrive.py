"""Configured headers reach every kind of upstream, on chats and on lists of models, and the provider's own win."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from msgspec.structs import replace
from tests.providers.speak_bedrock import ACCESS_KEY, REGION, SECRET_KEY
from tests.providers.speaker import KEY, SCENES, serving

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Secret, load
from agentbench.config.endpoint import AwsKeys
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.items import user_message
from agentbench.providers import Providers
from agentbench.providers.base import play
from agentbench.runner.headers import with_headers
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.config import Endpoint

pytestmark = pytest.mark.anyio

ALL = {
    "X-App": "lab",
    "X-Team": "all",
    "X-Who": '{"email":"{{LIBRECHAT_USER_EMAIL}}"}',
    "X-Chat": "{{LIBRECHAT_BODY_CONVERSATIONID}}",
    "X-Secret": "${TEAM_SECRET}",
    "anthropic-beta": "one, two",
}
OWN = {
    "x-team": "own",
    "Anthropic-Beta": "two,three",
    # What the provider, or HTTP, says itself.
    "X-Api-Key": "other",
    "Anthropic-Version": "1999-01-01",
    "X-Goog-Api-Key": "other",
    "Api-Key": "other",
    "Content-Type": "text/plain",
    "Content-Length": "3",
    "Transfer-Encoding": "chunked",
    "Host": "elsewhere",
    "Connection": "close",
}
BEARER = {"Authorization": "Bearer other"}
LISTED = list(SCENES)


class Kind(NamedTuple):
    """A kind of endpoint: what plays its upstream, its block, and what the provider itself sends."""

    speaker: str
    name: str
    block: dict[str, Any]
    managed: dict[str, str]


def built_in(speaker: str, name: str, path: str, /, **managed: str) -> Kind:
    """Return a kind that has a block of its own."""
    block = {"apiKey": KEY, "baseURL": path, "headers": OWN | BEARER}
    return Kind(speaker, name, {name: block}, {key.replace("_", "-"): value for key, value in managed.items()})


def custom(speaker: str, **more: Any) -> Kind:
    """Return a custom endpoint."""
    models = {"default": LISTED, "fetch": True}
    block = {"name": "mine", "apiKey": KEY, "baseURL": "URL/v1", "models": models, "headers": OWN | BEARER, **more}
    return Kind(speaker, "mine", {"custom": [block]}, {"authorization": f"Bearer {KEY}"})


def openai(speaker: str, **more: Any) -> Kind:
    """Return OpenAI, in one of its protocols."""
    block = {"apiKey": KEY, "baseURL": "URL/v1", "headers": OWN | BEARER, **more}
    return Kind(speaker, "openAI", {"openAI": block}, {"authorization": f"Bearer {KEY}"})


def azure(**more: Any) -> Kind:
    """Return Azure, with headers of the group's own."""
    group = {
        "group": "g",
        "apiKey": KEY,
        "instanceName": "east",
        "baseURL": "URL",
        "deploymentName": "text",
        "version": "2024-10-21",
        "models": {"text": True},
        "additionalHeaders": OWN,
        **more,
    }
    return Kind("azure_openai", "azureOpenAI", {"azureOpenAI": {"groups": [group]}}, {"api-key": KEY})


KINDS = {
    "openAI": openai("openai_chat"),
    "openAI's Responses": openai("openai_responses", useResponsesApi=True),
    "anthropic": built_in("anthropic", "anthropic", "URL", x_api_key=KEY, anthropic_version="2023-06-01"),
    "google": built_in("google", "google", "URL/v1beta", x_goog_api_key=KEY),
    "ollama": built_in("ollama", "ollama", "URL", authorization=f"Bearer {KEY}"),
    "custom": custom("openai_chat"),
    "custom in Responses": custom("openai_responses", useResponsesApi=True),
    "azureOpenAI": azure(),
    "bedrock": Kind(
        "bedrock",
        "bedrock",
        {"bedrock": {"region": REGION, "apiKey": KEY, "baseURL": "URL", "headers": OWN | BEARER}},
        {"authorization": f"Bearer {KEY}"},
    ),
}


class Upstream:
    """A speaker, and the method, path and headers of each request that it got."""

    def __init__(self, app: ASGIApp) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the request and hand it on."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        assert len(dict(headers)) == len(headers)
        self.asked.append((scope["method"], dict(headers)))
        await self._app(scope, receive, send)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Kind:
    """Give the kind of endpoint."""
    return KINDS[request.param]


@pytest.fixture
def upstream(kind: Kind) -> Iterator[Upstream]:
    """Serve a speaker that listens to headers."""
    made = Upstream(import_module(f"tests.providers.speak_{kind.speaker}").Speaker().app)
    with serving(made) as made.url:  # type: ignore[arg-type] # any ASGI application can be served
        yield made


@pytest.fixture
def endpoint(kind: Kind, upstream: Upstream) -> Endpoint:
    """Give the endpoint as the config makes it."""
    block = _with_url({"all": {"headers": ALL}, **kind.block}, upstream.url)
    return load({"endpoints": block}, {"TEAM_SECRET": "hunter2-of-the-team"}).endpoint(kind.name)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database."""
    database = Database(f"sqlite:///{tmp_path / 'headers.db'}")
    yield database
    database.close()


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    """Give the providers."""
    providers = Providers()
    yield providers
    await providers.aclose()


def _with_url(value: Any, url: str) -> Any:
    if isinstance(value, dict):
        return {key: _with_url(each, url) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_url(each, url) for each in value]
    return value.replace("URL", url, 1) if isinstance(value, str) and value.startswith("URL") else value


async def ask(providers: Providers, endpoint: Endpoint) -> str:
    """Return what the upstream says."""
    request = CreateResponse(model="text", input=(user_message("Hi"),))
    builder = EventBuilder(draft(request, model="text"))
    builder.start()
    async for _ in play(providers.of(endpoint), request, endpoint, builder):
        pass
    builder.finish()
    return builder.response.output_text


def told(headers: dict[str, str]) -> dict[str, str | None]:
    """Return those of the headers that the config has, and no provider."""
    names = ("x-app", "x-team", "x-who", "x-chat", "x-secret", "anthropic-beta")
    return {name: headers[name] for name in names if name in headers}


EXPECTED = {
    "x-app": "lab",
    "x-team": "own",
    "x-who": '{"email":"kernel@localhost"}',
    "x-secret": "hunter2-of-the-team",
    "anthropic-beta": "one,two,three",
}
every_kind = pytest.mark.parametrize("kind", KINDS, indirect=True)


@every_kind
async def test_a_chat(
    kind: Kind, endpoint: Endpoint, upstream: Upstream, providers: Providers, database: Database
) -> None:
    """All headers arrive filled, once, and what the provider or HTTP says itself is as it must be."""
    filled = await with_headers(endpoint, KERNEL, database, conversation="conv_1")
    assert await ask(providers, filled) == "Hello from here."
    ((_, headers),) = upstream.asked
    # Azure has no betas to unite: a group's header goes in place of the others.
    betas = {} if kind.name != "azureOpenAI" else {"anthropic-beta": "two,three"}
    assert told(headers) == EXPECTED | {"x-chat": "conv_1"} | betas
    assert {name: headers[name] for name in kind.managed} == kind.managed
    assert (headers["content-type"], headers["host"]) == ("application/json", upstream.url.partition("//")[2])
    assert headers["content-length"] != "3"
    assert "transfer-encoding" not in headers


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "azureOpenAI"], indirect=True)
async def test_a_list_of_models(
    kind: Kind, endpoint: Endpoint, upstream: Upstream, providers: Providers, database: Database
) -> None:
    """The same headers arrive, but for those of a conversation."""
    assert "text" in await providers.models(await with_headers(endpoint, KERNEL, database), fresh=True)
    assert upstream.asked
    for method, headers in upstream.asked:
        assert (method, told(headers)) == ("GET", EXPECTED)
        assert {name: headers[name] for name in kind.managed} == kind.managed


@pytest.mark.parametrize("kind", ["azureOpenAI"], indirect=True)
async def test_azure_is_not_asked_for_models(endpoint: Endpoint, upstream: Upstream, providers: Providers) -> None:
    """They are those of the config."""
    assert await providers.models(endpoint, fresh=True) == ("text",)
    assert upstream.asked == []


@pytest.mark.parametrize("kind", ["openAI"], indirect=True)
async def test_each_their_own_list(
    endpoint: Endpoint, upstream: Upstream, providers: Providers, database: Database
) -> None:
    """What one caller is told is remembered for those with the same headers only."""
    who = [KERNEL, Principal(user="ann", remote=True), KERNEL]
    filled = [await with_headers(endpoint, each, database) for each in who]
    for each in filled:
        await providers.models(each)
    assert [headers["x-who"] for _, headers in upstream.asked] == ['{"email":"kernel@localhost"}', '{"email":""}']
    assert providers.known_models(filled[2]) == providers.known_models(filled[0])


@pytest.mark.parametrize("kind", ["bedrock"], indirect=True)
async def test_a_signed_request(
    endpoint: Endpoint, upstream: Upstream, providers: Providers, database: Database
) -> None:
    """Headers are there before a request is signed, and the signature stays whole."""
    filled = await with_headers(endpoint, KERNEL, database)
    keys = AwsKeys(access_key_id=ACCESS_KEY, secret_access_key=Secret(SECRET_KEY))
    signing = replace(filled, api_key=None, aws_keys=keys)
    assert await ask(providers, signing) == "Hello from here."
    headers = upstream.asked[0][1]
    assert told(headers) == EXPECTED
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
