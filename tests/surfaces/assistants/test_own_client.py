"""Our client of the Assistants API drives our server, streamed and looked at."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.asking import HI, heard
from tests.surfaces.assistants.forecaster import ANSWER, forecaster

from agentbench.config import Endpoint, Secret
from agentbench.config.assistants import AssistantSettings
from agentbench.errors import UnknownName
from agentbench.protocol import CreateResponse, EventBuilder, Response, collect, draft
from agentbench.protocol.items import FunctionCallOutput, Reasoning, user_message
from agentbench.providers.assistants import Assistants
from agentbench.providers.base import play
from agentbench.providers.http import Http
from agentbench.surfaces import ASSISTANTS_API

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import openai

    from agentbench import Workbench
    from agentbench.protocol import InputItem

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"),
]
HELLO = "Hello, 세계! 🙂"


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(params=["streamed", "looked at"])
def endpoint(request: pytest.FixtureRequest, bench: Workbench) -> Endpoint:
    """Give our server as an upstream."""
    url = bench.server.url if bench.server else bench.serve(port=0).url
    key = bench.create_key("own client").secret.reveal()
    is_streamed = request.param == "streamed"
    settings = AssistantSettings(poll_interval=0.05, time_limit=20, api_version=None if is_streamed else "2024-05-01")
    return Endpoint(
        name="assistants",
        provider="assistants",
        base_url=url + ASSISTANTS_API,
        api_key=Secret(key) if is_streamed else None,
        headers={} if is_streamed else {"authorization": f"Bearer {key}"},
        assistants=settings,
    )


@pytest.fixture
async def assistants() -> AsyncIterator[Assistants]:
    """Give our client."""
    http = Http()
    yield Assistants(http)
    await http.aclose()


@pytest.fixture
def sdk(bench: Workbench) -> openai.OpenAI:
    """Give the SDK's client in this process, which makes assistants."""
    return bench.openai()


def made(sdk: openai.OpenAI, model: str, **given: Any) -> str:
    """Return the id of a new assistant."""
    return sdk.beta.assistants.create(model=model, **given).id


async def ask(assistants: Assistants, endpoint: Endpoint, assistant: str, *items: InputItem, **given: Any) -> Response:
    """Return an answer."""
    request = CreateResponse(model=assistant, input=items or (HI,), **given)
    return collect(await heard(assistants, endpoint, request))


async def test_two_turns(assistants: Assistants, endpoint: Endpoint, sdk: openai.OpenAI) -> None:
    """Both are told whole, and the second goes on in the thread of the first."""
    bot = made(sdk, "scripted/text")
    first = await ask(assistants, endpoint, bot)
    second = await ask(assistants, endpoint, bot, HI, *first.output, user_message("And?"))
    assert (first.output_text, second.output_text) == (HELLO, HELLO)
    assert (first.usage and first.usage.input_tokens, first.usage and first.usage.output_tokens) == (11, 7)
    seal = next(item for item in first.output if isinstance(item, Reasoning))
    thread = assistants.encode(CreateResponse(model=bot, input=(HI, seal)), endpoint).seal
    assert thread is not None
    assert len(sdk.beta.threads.messages.list(thread.thread).data) == 4


async def test_tools(assistants: Assistants, endpoint: Endpoint, sdk: openai.OpenAI) -> None:
    """A function's output goes back into the run, whose tokens are told at its end."""
    bot = forecaster(sdk).id
    first = await ask(assistants, endpoint, bot)
    (call,) = first.function_calls
    given = FunctionCallOutput(id="fco_1", call_id=call.call_id, output="rain")
    second = await ask(assistants, endpoint, bot, HI, *first.output, given)
    assert (call.name, second.output_text) == ("weather", ANSWER)


ENDS = {
    "cut": ("incomplete", "max_output_tokens"),
    "failed": ("failed", "The run failed upstream: The model caught fire."),
}


@pytest.mark.parametrize("model", ENDS)
async def test_ends(assistants: Assistants, endpoint: Endpoint, sdk: openai.OpenAI, model: str) -> None:
    """Ends that aren't good ones are told as such."""
    response = await ask(assistants, endpoint, made(sdk, f"scripted/{model}"))
    reason = response.incomplete_details.reason if response.incomplete_details else None
    assert (response.status, reason or (response.error and response.error.message)) == ENDS[model]


async def test_stop(assistants: Assistants, endpoint: Endpoint, sdk: openai.OpenAI) -> None:
    """Who leaves stops the run on the server, and the thread can be used."""
    bot = made(sdk, "scripted/slow")
    request = CreateResponse(model=bot, input=(HI,))
    builder = EventBuilder(draft(request, model=bot))
    async with aclosing(play(assistants, request, endpoint, builder)) as batches:
        await anext(batches)
        await anext(batches)
    seal = assistants.encode(CreateResponse(model=bot, input=builder.output), endpoint).seal
    assert seal is not None
    assert sdk.beta.threads.runs.retrieve(seal.run, thread_id=seal.thread).status == "cancelled"


async def test_unknown_assistant(assistants: Assistants, endpoint: Endpoint) -> None:
    """An assistant that isn't there is told by name."""
    with pytest.raises(UnknownName, match="no assistant 'asst_none'"):
        await ask(assistants, endpoint, "asst_none")


async def test_list(assistants: Assistants, endpoint: Endpoint, sdk: openai.OpenAI) -> None:
    """The assistants of the server are listed."""
    assert made(sdk, "scripted/text", name="Listed") in await assistants.models(endpoint)
