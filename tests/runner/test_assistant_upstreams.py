"""Turns that an upstream's assistant answers: its functions, its tokens, its threads, and who asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from tests.providers.assistants_upstream import FakeUpstream, Round
from tests.runner.fakes import answer, catalog, question

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Agent
from agentbench.errors import UnknownName
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Reasoning, assistant_message, user_message
from agentbench.protocol.request import FunctionTool
from agentbench.providers import Providers
from agentbench.providers.assistants_wire import Seal, place_of, sealed
from agentbench.providers.http import Http
from agentbench.runner import Runner, Turn

if TYPE_CHECKING:
    from agentbench.protocol import InputItem
    from agentbench.runner import Run
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

ANN = Principal(user="ann", remote=True)
HELLO = Round(parts=({"type": "text", "text": {"value": "Hello.", "annotations": []}},))
CALL = Round(calls={"c1": ("double", '{"x": 21}')})


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def runner_at(upstream: FakeUpstream, database: Database, *tools: str, **settings: Any) -> Runner:
    """Return a runner whose agent is an assistant there, and which has a tool."""
    endpoint = upstream.endpoint(**settings)
    agent = Agent(id="helper", name="Helper", endpoint=endpoint.name, model="asst_1", tools=tools)
    runner = Runner(
        catalog(endpoint, agents=(agent,)),
        Providers(Http(transport=httpx2.MockTransport(upstream.serve))),
        database,
    )
    runner.toolbox.add(double)
    return runner


def start(runner: Runner, request: CreateResponse | None = None, **fields: Any) -> Run:
    """Start a turn of nobody's conversation."""
    return runner.start(Turn(request=request or question(), **fields))


def kinds(run: Run) -> list[str]:
    """Return what the answer is made of."""
    return [type(item).__name__ for item in run.response.output]


async def test_functions_of_the_assistant(database: Database) -> None:
    """A function that the assistant knows runs here by its name, unoffered, in one run whose tokens count once."""
    upstream = FakeUpstream(CALL, HELLO)
    run = start(runner_at(upstream, database))
    await answer(run)
    assert kinds(run) == ["Reasoning", "FunctionCall", "FunctionCallOutput", "Message"]
    assert upstream.bodies("/submit_tool_outputs")[0]["tool_outputs"] == [{"tool_call_id": "c1", "output": "42"}]
    assert "tools" not in upstream.bodies("/runs")[0]
    assert [(row.input_tokens, row.output_tokens, row.estimated) for row in run.rows] == [(0, 0, False), (12, 5, False)]


async def test_functions_for_others(database: Database) -> None:
    """To a caller over HTTP the call is handed out, though a tool here has its name; outputs go back to the run."""
    upstream = FakeUpstream(CALL, HELLO)
    runner = runner_at(upstream, database)
    run = start(runner, principal=ANN)
    first = await answer(run)
    assert kinds(run) == ["Reasoning", "FunctionCall"]
    given = FunctionCallOutput(id="fco_1", call_id="c1", output="43")
    second = await answer(start(runner, CreateResponse(input=(given,), previous_response_id=first.id), principal=ANN))
    assert (second.output_text, len(upstream.runs)) == ("Hello.", 1)
    assert (second.usage and second.usage.input_tokens) == 12


@pytest.mark.parametrize(("agent", "asked"), [(("double",), ()), ((), (FunctionTool(name="double"),))])
async def test_offered_tools(database: Database, agent: tuple[str, ...], asked: tuple[FunctionTool, ...]) -> None:
    """The agent's tools join the assistant's own and run here; what a request declares is for who asks."""
    upstream = FakeUpstream(CALL, HELLO)
    run = start(runner_at(upstream, database, *agent), question(tools=asked))
    await answer(run)
    assert [tool["function"]["name"] for tool in upstream.bodies("/runs")[0]["tools"]] == ["double"]
    assert ("FunctionCallOutput" in kinds(run)) == bool(agent)


async def test_threads(database: Database) -> None:
    """The next turn of a conversation goes on in its thread; a thread that a request names itself doesn't count."""
    upstream = FakeUpstream(HELLO, HELLO, HELLO)
    runner = runner_at(upstream, database)
    first = await answer(start(runner))
    await answer(start(runner, question(previous_response_id=first.id)))
    assert len(upstream.threads) == 1
    seal = sealed(Seal(place=place_of(upstream.endpoint()), thread="thread_1", run="run_2"))
    forged: tuple[InputItem, ...] = (Reasoning(id="rs_1", encrypted_content=seal), assistant_message("Hello."))
    await answer(start(runner, CreateResponse(input=(*forged, user_message("Go on."))), principal=ANN))
    assert (len(upstream.threads), upstream.bodies("/thread_1/messages")) == (2, [{"role": "user", "content": "What?"}])


async def test_stop(database: Database) -> None:
    """A turn that a person stops cancels the run, and has its tokens."""
    upstream = FakeUpstream(Round(status="endless"))
    run = start(runner_at(upstream, database))
    async for _ in run.events():
        if run._builder.output:
            run.stop()
    assert upstream.runs["run_1"]["status"] == "cancelled"
    assert (run.response.status, run.row and run.row.input_tokens) == ("incomplete", 7)


async def test_private_assistants(database: Database) -> None:
    """Whoever asks is who an assistant's author must be."""
    upstream = FakeUpstream(HELLO)
    upstream.assistants[0]["metadata"] = {"author": "ann"}
    runner = runner_at(upstream, database, private=True)
    assert (await answer(start(runner, principal=ANN))).output_text == "Hello."
    with pytest.raises(UnknownName, match="no assistant 'asst_1'"):
        await answer(start(runner, principal=KERNEL))


async def test_pictures_of_the_past(database: Database) -> None:
    """A picture that an answer showed is named, not sent, in what comes after."""
    shown = {"type": "image_file", "image_file": {"file_id": "plot"}}
    upstream = FakeUpstream(Round(parts=(shown,)), HELLO)
    runner = runner_at(upstream, database)
    first = await answer(start(runner))
    upstream.threads.clear()
    await answer(start(runner, question(previous_response_id=first.id)))
    assert "data:image/png" in first.output_text
    assert upstream.bodies("/threads")[-1]["messages"][1]["content"].strip() == "[picture: plot.txt]"


async def test_calls_without_a_name_here(database: Database) -> None:
    """A call that no tool here has is handed out to the kernel too."""
    upstream = FakeUpstream(Round(calls={"c1": ("unknown", "{}")}))
    response = await answer(start(runner_at(upstream, database)))
    (call,) = (item for item in response.output if isinstance(item, FunctionCall))
    assert (call.name, msgspec.json.decode(call.arguments)) == ("unknown", {})
