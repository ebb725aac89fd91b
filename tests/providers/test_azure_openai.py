"""Azure OpenAI: which deployment is asked, where and with which key, and every scene of its speaker."""

from __future__ import annotations

from base64 import b64encode
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.providers.asking import HI, WEATHER, heard
from tests.providers.replay import Told, told
from tests.providers.speak_azure_openai import TOKEN, Speaker
from tests.providers.speaker import KEY, serving

from agentbench.config import Deployment, Endpoint, Secret
from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    UnknownName,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, EventBuilder, Response, collect, draft
from agentbench.protocol.items import FunctionCallOutput, user_message
from agentbench.protocol.request import JsonSchemaFormat, TextConfig
from agentbench.providers.azure_openai import AzureOpenAI
from agentbench.providers.base import play
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agentbench.protocol import InputItem

pytestmark = pytest.mark.anyio

SEOUL, JEJU = ("get_weather", '{"city":"Seoul"}'), ("get_weather", '{"city":"Jeju"}')
WAYS: dict[str, dict[str, Any]] = {
    "chat": {},
    "v1 chat": {"version": "v1"},
    "responses": {"version": "2025-04-01-preview", "use_responses_api": True},
    "v1 responses": {"version": "preview", "use_responses_api": True},
}
SCENES = {
    "text": Told(text="Hello from here.", usage=(12, 5, 0, 0)),
    "cached": Told(text="Hello from here.", usage=(1200, 7, 1000, 3)),
    "cut": Told(status="incomplete", text="Once upon", usage=(12, 5, 0, 0), why="max_output_tokens"),
    "blocked": Told(status="incomplete", text="I would", usage=(12, 5, 0, 0), why="content_filter"),
    "breaks": Told(status="failed", text="So far", why="The upstream broke off: The server had an error."),
}

every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Return a server of Azure's routes."""
    return Speaker()


@pytest.fixture(scope="module")
def url(speaker: Speaker) -> Iterator[str]:
    """Serve it."""
    with serving(speaker.app) as url:
        yield url


@pytest.fixture
async def azure() -> AsyncIterator[AzureOpenAI]:
    """Return the provider, which never waits before it tries again."""

    async def at_once(_: float) -> None: ...

    http = Http(sleep=at_once)
    yield AzureOpenAI(http)
    await http.aclose()


async def answer(azure: AzureOpenAI, endpoint: Endpoint, model: str, *items: InputItem, **given: Any) -> Response:
    """Return the response of one call."""
    request = CreateResponse(model=model, input=items or (HI,), **given)
    return collect(await heard(azure, endpoint, request))


def at(url: str, **more: Any) -> Endpoint:
    """Return an endpoint whose model `fast` is the deployment `text` at an address."""
    deployment = Deployment(**{"name": "text", "base_url": url, "api_version": "2024-10-21"} | more)
    return Endpoint(name="azureOpenAI", provider="azure_openai", api_key=Secret(KEY), deployments={"fast": deployment})


# -- scenes -----------------------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("scene", SCENES)
async def test_scene(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any], scene: str) -> None:
    """Each scene is told whole, whichever way its deployment speaks."""
    response = await answer(azure, speaker.endpoint(url, **way), scene)
    assert told(response) == SCENES[scene]


@every_way
async def test_thoughts(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any]) -> None:
    """Thoughts come as reasoning, and can go back into the next request."""
    endpoint = speaker.endpoint(url, **way)
    response = await answer(azure, endpoint, "thinks")
    thought = ("".join(told(response).summary) or told(response).thought, response.output_text)
    again = await answer(azure, endpoint, "thinks", HI, *response.output, user_message("And?"))
    assert (thought, again.output_text) == (("Let me see.", "42."), "42.")


@every_way
async def test_calls(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any]) -> None:
    """Calls come side by side, and their results are read."""
    endpoint = speaker.endpoint(url, **way)
    response = await answer(azure, endpoint, "calls", tools=(WEATHER,))
    outputs = [
        FunctionCallOutput(id=f"fco_{index}", call_id=call.call_id, output=("sun", "rain")[index])
        for index, call in enumerate(response.function_calls)
    ]
    final = await answer(azure, endpoint, "calls", HI, *response.output, *outputs, tools=(WEATHER,))
    assert (told(response).calls, final.output_text) == ((SEOUL, JEJU), "Seoul: sun, Jeju: rain")


@every_way
async def test_image_and_schema(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any]) -> None:
    """Images are seen, and JSON is written by a schema."""
    endpoint = speaker.endpoint(url, **way)
    image = "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n").decode()
    seen = await answer(azure, endpoint, "sees", user_message("What?", image))
    form = JsonSchemaFormat(name="city", schema={"type": "object"}, strict=True)
    written = await answer(azure, endpoint, "json", text=TextConfig(format=form))
    assert (seen.output_text, written.output_text) == ("image/png 8", '{"city":"Seoul"}')


@every_way
async def test_leaving(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any]) -> None:
    """Who leaves an endless answer closes the upstream."""
    speaker.left.clear()
    request = CreateResponse(model="endless", input=(HI,))
    batches = play(azure, request, speaker.endpoint(url, **way), EventBuilder(draft(request, model="endless")))
    async with aclosing(batches):
        assert [bool(await anext(batches)) for _ in range(2)] == [False, True]
    assert speaker.left.wait(5)


ERRORS = {
    "limited": (
        UpstreamRateLimited,
        "azureOpenAI limits the rate (429). Try again in 7 s. It says: Requests have exceeded the call rate limit.",
    ),
    "overloaded": (
        UpstreamUnavailable,
        "azureOpenAI is in trouble (503). Try again later. It says: The service is temporarily unable to answer.",
    ),
    "too_long": (ContextTooLong, "The conversation is too long for the model. Start a new one. It says: This model's"),
    "filtered": (
        UpstreamRejected,
        "azureOpenAI's content filter stopped the prompt. Change its words.",
    ),
    "calls": (UpstreamRejected, "azureOpenAI rejected the request (400). It says: This model wants tools."),
}


@every_way
@pytest.mark.parametrize("scene", ERRORS)
async def test_errors(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any], scene: str) -> None:
    """Azure's errors are told in our words and its own."""
    kind, message = ERRORS[scene]
    with pytest.raises(AgentbenchError) as caught:
        await answer(azure, speaker.endpoint(url, **way), scene)
    assert (type(caught.value), caught.value.message[: len(message)]) == (kind, message)


async def test_wrong_key(azure: AzureOpenAI, speaker: Speaker, url: str) -> None:
    """A refused key is named by its place."""
    with pytest.raises(UpstreamRefused, match=r"azureOpenAI refused the key \(401\)") as caught:
        await answer(azure, speaker.endpoint(url, "wrong-key-of-mine"), "text")
    assert "wrong-key" not in caught.value.message


async def test_missing_deployment(azure: AzureOpenAI, url: str) -> None:
    """A deployment that isn't there is a 404 with its address."""
    there = f"{url}/openai/deployments/gone"
    with pytest.raises(UpstreamRejected) as caught:
        await answer(azure, at(there, name="gone"), "fast")
    assert caught.value.message == (
        f"azureOpenAI doesn't know this address or model (404). Check model and baseURL: {there}. "
        "It says: The API deployment for this resource does not exist."
    )


# -- where, and with what ---------------------------------------------------------------------------------------------


@every_way
async def test_address(azure: AzureOpenAI, speaker: Speaker, url: str, way: dict[str, Any]) -> None:
    """Dated versions go into the query, the deployment into the address or the body; the key has its own header."""
    await answer(azure, speaker.endpoint(url, **way), "text")
    address, headers = speaker.asked[-1]
    expected = {
        "2024-10-21": "/openai/deployments/text/chat/completions?api-version=2024-10-21",
        "v1": "/openai/v1/chat/completions?",
        "2025-04-01-preview": "/openai/responses?api-version=2025-04-01-preview",
        "preview": "/openai/v1/responses?api-version=preview",
    }
    assert address == expected[way.get("version", "2024-10-21")]
    assert (headers["api-key"], headers.get("authorization")) == (KEY, None)
    assert speaker.seen[-1]["model"] == "text"


async def test_token(azure: AzureOpenAI, speaker: Speaker, url: str) -> None:
    """An Authorization header takes the key's place."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    response = await answer(azure, at(f"{url}/openai/deployments/text", headers=headers), "fast")
    assert (response.output_text, "api-key" in speaker.asked[-1][1]) == ("Hello from here.", False)


async def test_what_the_deployment_says_wins(azure: AzureOpenAI, speaker: Speaker, url: str) -> None:
    """Its key, headers and parameters go before the endpoint's; what either drops is dropped."""
    deployment = at(
        f"{url}/openai/deployments/text",
        api_key=Secret(KEY),
        headers={"x-team": "blue"},
        add_params={"seed": 2},
        drop_params=("user",),
    ).deployments["fast"]
    endpoint = Endpoint(
        name="azureOpenAI",
        provider="azure_openai",
        api_key=Secret("another"),
        headers={"X-Team": "red", "X-Floor": "3"},
        add_params={"seed": 1, "top_p": 0.5},
        drop_params=("temperature",),
        deployments={"fast": deployment},
    )
    await answer(azure, endpoint, "fast", temperature=1.0, user="me")
    headers = speaker.asked[-1][1]
    assert (headers["x-team"], headers["x-floor"]) == ("blue", "3")
    assert {"model", "messages", "stream", "stream_options", "seed", "top_p"} == speaker.seen[-1].keys()
    assert (speaker.seen[-1]["seed"], speaker.seen[-1]["top_p"]) == (2, 0.5)


@pytest.mark.parametrize(
    ("base_url", "bearer"),
    [
        ("https://mistral.eastus2.inference.ai.azure.com/v1", f"Bearer {KEY}"),
        ("https://phi.eastus2.models.ai.azure.com", f"Bearer {KEY}"),
        ("https://team.services.ai.azure.com/models", None),
        ("https://models.ai.azure.com.example/v1", None),
    ],
)
async def test_serverless_key(base_url: str, bearer: str | None) -> None:
    """A serverless model with a host of its own gets the key as a bearer token besides."""
    asked: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    http = Http(transport=httpx2.MockTransport(serve))
    await answer(AzureOpenAI(http), at(base_url, api_version=None), "fast")
    await http.aclose()
    assert (asked[0].headers["api-key"], asked[0].headers.get("authorization")) == (KEY, bearer)
    assert str(asked[0].url) == f"{base_url}/chat/completions"


NEW, OLD = {"max_completion_tokens", "stream_options"}, {"max_tokens"}


@pytest.mark.parametrize(
    ("base_url", "version", "keys"),
    [
        ("https://a.openai.azure.com/openai/deployments/b", "2024-10-21", NEW),
        ("https://a.openai.azure.com/openai/deployments/b", "2024-09-01-preview", NEW),
        ("https://a.openai.azure.com/openai/deployments/b", "2024-08-01-preview", OLD),
        ("https://a.openai.azure.com/openai/v1", None, NEW),
        ("https://a.openai.azure.com/openai/v1", "preview", NEW),
        ("https://a.services.ai.azure.com/models", "2024-05-01-preview", OLD),
        ("https://a.inference.ai.azure.com/v1", None, OLD),
    ],
)
def test_what_a_version_knows(base_url: str, version: str | None, keys: set[str]) -> None:
    """Versions since September 2024 know the new limit of tokens, and tell the usage if asked."""
    request = CreateResponse(model="fast", input=(HI,), max_output_tokens=9)
    body = AzureOpenAI(Http()).encode(request, at(base_url, api_version=version)).body
    assert body.keys() - {"model", "messages", "stream"} == keys


# -- models -----------------------------------------------------------------------------------------------------------


async def test_models(azure: AzureOpenAI) -> None:
    """The models are those with a deployment; nobody is asked."""
    assert await azure.models(at("http://127.0.0.1:9")) == ("fast",)


@pytest.mark.parametrize("model", ["slow", "text", None])
def test_unknown_model(model: str | None) -> None:
    """A model without a deployment is refused before anything is sent, though a deployment may be called so."""
    with pytest.raises(UnknownName) as caught:
        AzureOpenAI(Http()).encode(CreateResponse(model=model, input=(HI,)), at("http://127.0.0.1:9"))
    assert caught.value.message == f"There is no model {model or ''!r}. Known: fast."
