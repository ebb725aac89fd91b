"""The workbench with tools: functions of one call, tools of agents, approval, and a real client of the gateway."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, SteppedProvider, wants

import agentbench
from agentbench import Tool, Workbench
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.items import FunctionCall, FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import Response

DOUBLE: dict[str, Any] = {"call": {"name": "double", "arguments": {"x": 4}}}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {
                "m": {"turns": [[DOUBLE], [{"text": "It is 8."}]]},
                "deletes": {"turns": [[{"call": {"name": "delete", "arguments": {"path": "a"}}}], [{"text": "Well."}]]},
            }
        }
    },
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "m"},
        {"id": "clerk", "endpoint": "scripted", "model": "m", "tools": ["double"]},
    ],
}


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as notebooks do."""
    return "asyncio"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with an agent that has a tool, and one that has none."""
    with Workbench(CONFIG) as bench:
        yield bench


def put(bench: Workbench, provider: SteppedProvider) -> SteppedProvider:
    """Put a fake in place of the scripts."""
    made: Any = bench._providers._made
    made["scripted"] = provider
    return provider


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def deleting(ran: list[str]) -> Tool:
    """Return a tool that wants a yes."""

    @agentbench.tool(approval="ask")
    def delete(path: str) -> str:
        """Delete a file."""
        ran.append(path)
        return "gone"

    return delete


def outputs(response: Response) -> list[object]:
    """Return the results of the tools that ran."""
    return [item.output for item in response.output if isinstance(item, FunctionCallOutput)]


# -- functions of one call ------------------------------------------------------------------------------------------


def test_ask_with_a_function(bench: Workbench) -> None:
    """It runs here, and the answer has the call, its result and the text; each call of the model has its row."""
    response = bench.ask("Twice four?", functions=[double])
    assert (outputs(response), response.output_text) == (["8"], "It is 8.")
    assert bench.usage()["context"].tolist() == ["tool_step", "message"]


def test_a_function_sees_this_process(bench: Workbench) -> None:
    """It is the very function: what it changes is changed here, on another thread."""
    seen: list[tuple[int, bool]] = []

    def double(x: int) -> None:
        """Note a number."""
        seen.append((x, threading.current_thread() is threading.main_thread()))

    bench.ask("Hi", functions=[double])
    assert seen == [(4, False)]


def test_no_function(bench: Workbench) -> None:
    """What is no function is refused before anything starts."""
    not_one: Any = 5
    with pytest.raises(InvalidRequest, match="5 is not a function"):
        bench.ask("Hi", functions=[not_one])
    assert bench.usage().empty


def test_without_the_function(bench: Workbench) -> None:
    """The call comes back, for the caller to run."""
    response = bench.ask("Twice four?")
    assert [type(item) for item in response.output] == [FunctionCall]


def test_a_conversation_goes_on(bench: Workbench) -> None:
    """The next turn knows the calls and results of the last, with or without the function."""
    provider = put(bench, SteppedProvider([wants("double", x=4)], ["8"], ["Yes."]))
    talk = bench.start_conversation()
    first = bench.ask("Twice four?", functions=[double], conversation=talk)
    bench.ask("Sure?", conversation=talk)
    assert provider.requests[-1].input[1:4] == first.output


@pytest.mark.anyio
async def test_in_a_running_event_loop(bench: Workbench) -> None:
    """A coroutine function runs too, while the cell's loop waits for events."""

    async def double(x: int) -> int:
        """Double a number slowly."""
        await asyncio.sleep(0.01)
        return 2 * x

    stream = bench.stream("Twice four?", functions=[double])
    kinds = [str(event.__struct_config__.tag) async for event in stream]
    assert kinds[-1] == "response.completed"
    assert outputs(stream.response) == ["8"]


# -- tools of agents ------------------------------------------------------------------------------------------------


def test_an_agent_with_a_tool(bench: Workbench) -> None:
    """Once the tool is there, the agent uses it by itself."""
    bench.add_tool(double)
    assert bench.ask("Twice four?", agent="clerk").output_text == "It is 8."
    assert bench.ask("Twice four?", agent="bot").output_text == ""


def test_through_the_gateway(bench: Workbench) -> None:
    """Clients get the answer, and see nothing of the tool."""
    bench.add_tool(double)
    with bench.openai() as client:
        response = client.responses.create(model="clerk", input="Twice four?")
    assert [item.type for item in response.output] == ["message"]
    assert response.output_text == "It is 8."


def test_a_missing_tool(bench: Workbench) -> None:
    """The error names it, and the nearest that is there."""
    bench.add_tool(agentbench.tool(name="doubles")(double))
    with pytest.raises(UnknownName, match=r"There is no tool 'double'. Did you mean 'doubles'\?"):
        bench.ask("Hi", agent="clerk")


def test_a_tool_that_is_made_anew(bench: Workbench) -> None:
    """A cell that is run again replaces its tool."""
    bench.add_tool(double)
    bench.add_tool(agentbench.tool(name="double")(lambda x: 3 * x))
    assert outputs(bench.ask("Hi", agent="clerk")) == ["12"]


# -- approval -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("granted", "ran"), [(True, ["a"]), (False, [])])
def test_approval(bench: Workbench, granted: bool, ran: list[str]) -> None:  # noqa: FBT001 - a case
    """The person is asked on the thread that reads, and sees the call."""
    asked: list[tuple[str, str, bool]] = []
    done: list[str] = []

    def approve(call: FunctionCall) -> bool:
        asked.append((call.name, call.arguments, threading.current_thread() is threading.main_thread()))
        return granted

    response = bench.ask("Hi", model="scripted/deletes", functions=[deleting(done)], approve=approve)
    assert asked == [("delete", '{"path":"a"}', True)]
    assert (done, response.output_text) == (ran, "Well.")


@pytest.mark.anyio
async def test_approval_in_a_running_event_loop(bench: Workbench) -> None:
    """The same, where events are awaited."""
    done: list[str] = []
    options: dict[str, Any] = {"functions": [deleting(done)], "approve": lambda _: True}
    async for _ in bench.stream("Hi", model="scripted/deletes", **options):
        pass
    assert done == ["a"]


def test_nobody_to_ask(bench: Workbench) -> None:
    """Without `approve` such a tool is not run."""
    done: list[str] = []
    response = bench.ask("Hi", model="scripted/deletes", functions=[deleting(done)])
    assert (done, outputs(response)) == ([], ["Error: nobody is here to approve it."])


def test_one_question_at_a_time(bench: Workbench) -> None:
    """Calls side by side are asked for one after the other, each with its own answer."""
    done: list[str] = []
    put(bench, SteppedProvider([wants("delete", path=each) for each in "abc"], ["Well."]))
    response = bench.ask("Hi", functions=[deleting(done)], approve=lambda call: "b" not in call.arguments)
    assert sorted(done) == ["a", "c"]
    assert outputs(response) == ["gone", "Error: the person declined this call.", "gone"]


def test_an_error_while_asking(bench: Workbench) -> None:
    """It ends the answer, and the tool is not run."""
    done: list[str] = []

    def approve(_: FunctionCall) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.ask("Hi", model="scripted/deletes", functions=[deleting(done)], approve=approve)
    assert done == []
    assert bench.usage()["context"].tolist() == ["tool_step"]


def test_no_question_after_stop(bench: Workbench) -> None:
    """Whoever has stopped the answer is not asked for what it still wanted."""
    done: list[str] = []
    asked: list[FunctionCall] = []
    put(bench, SteppedProvider([wants("delete", path="a"), wants("delete", path="b")], [HANG]))

    def approve(call: FunctionCall) -> bool:
        asked.append(call)
        stream.stop()
        return False

    stream = bench.stream("Hi", functions=[deleting(done)], approve=approve)
    for _ in stream:
        pass
    assert (len(asked), done, stream.response.status) == (1, [], "incomplete")


# -- a real client --------------------------------------------------------------------------------------------------


@pytest.fixture
def agents() -> Any:
    """Give the openai-agents package, with nothing of it reporting home."""
    agents = pytest.importorskip("agents")
    agents.set_tracing_disabled(True)
    return agents


@pytest.mark.anyio
@pytest.mark.parametrize("surface", ["OpenAIResponsesModel", "OpenAIChatCompletionsModel"])
async def test_the_loop_of_openai_agents(bench: Workbench, agents: Any, surface: str) -> None:
    """Its tool loop runs against the gateway: the call goes out, its output comes in, the answer comes back."""
    ran: list[int] = []

    @agents.function_tool  # type: ignore[untyped-decorator] - the package is not imported for the checker
    def double(x: int) -> int:
        """Double a number."""
        ran.append(x)
        return 2 * x

    async with bench.async_openai() as client:
        model = getattr(agents, surface)(model="bot", openai_client=client)
        agent = agents.Agent(name="Asker", instructions="Be brief.", model=model, tools=[double])
        result = await agents.Runner.run(agent, "Twice four?")
    assert (ran, result.final_output) == ([4], "It is 8.")


@pytest.mark.anyio
@pytest.mark.parametrize("surface", ["OpenAIResponsesModel", "OpenAIChatCompletionsModel"])
async def test_openai_agents_streamed(bench: Workbench, agents: Any, surface: str) -> None:
    """The same as a stream, of an agent whose own tool runs here."""
    bench.add_tool(double)
    async with bench.async_openai() as client:
        model = getattr(agents, surface)(model="clerk", openai_client=client)
        result = agents.Runner.run_streamed(agents.Agent(name="Asker", model=model), "Twice four?")
        kinds = [item.item.type async for item in result.stream_events() if item.type == "run_item_stream_event"]
    assert (kinds, result.final_output) == (["message_output_item"], "It is 8.")
