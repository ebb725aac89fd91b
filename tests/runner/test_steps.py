"""The agent loop: which calls run here, side by side, under which limits, and which go out to the client."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import SteppedProvider, answer, catalog, drain, kinds, question, runner_of, wants

from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.protocol.request import AllowedTools, FunctionTool, FunctionToolChoice
from agentbench.runner import Turn
from agentbench.runner.tools import as_tool, tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.protocol import CreateResponse, Response
    from agentbench.runner import Run
    from agentbench.runner.steps import Approve
    from agentbench.runner.tools import Tool
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

TEXT = ("Done.",)
CLIENTS = FunctionTool(name="browse")


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def square(x: int) -> int:
    """Square a number."""
    return x * x


def begin(
    provider: SteppedProvider,
    database: Database,
    *functions: Tool | Callable[..., Any],
    request: CreateResponse | None = None,
    approve: Approve | None = None,
) -> Run:
    """Start a turn with these functions."""
    turn = Turn(request=request or question())
    return runner_of(provider, database).start(turn, tools=[as_tool(each) for each in functions], approve=approve)


def outputs(response: Response) -> list[object]:
    """Return the results of the tools that ran."""
    return [item.output for item in response.output if isinstance(item, FunctionCallOutput)]


def only(name: str, mode: Any = "auto") -> AllowedTools:
    """Return the choice that allows but this tool."""
    return AllowedTools(tools=(FunctionToolChoice(name=name),), mode=mode)


# -- running --------------------------------------------------------------------------------------------------------


async def test_a_call_and_its_answer(database: Database) -> None:
    """The tool runs, the model is called again with the call and its result, and answers."""
    provider = SteppedProvider([wants("double", x=4)], TEXT)
    response = await answer(begin(provider, database, double))
    assert [type(item).__name__ for item in response.output] == ["FunctionCall", "FunctionCallOutput", "Message"]
    assert (response.status, response.output_text, outputs(response)) == ("completed", "Done.", ["8"])
    assert provider.requests[1].input == (*provider.requests[0].input, *response.output[:2])


async def test_several_steps(database: Database) -> None:
    """The model may go on calling; it sees all that was before."""
    provider = SteppedProvider([wants("double", x=4)], ["Now ", wants("square", x=8)], TEXT)
    response = await answer(begin(provider, database, double, square))
    assert outputs(response) == ["8", "64"]
    assert [len(request.input) for request in provider.requests] == [1, 3, 6]


async def test_calls_of_one_step_overlap(database: Database) -> None:
    """They run side by side; their results stand in the calls' order, whichever ends first."""
    both = threading.Barrier(2, timeout=5)

    def meet(seconds: float) -> float:
        """Wait for the other call."""
        both.wait()
        time.sleep(seconds)
        return seconds

    provider = SteppedProvider([wants("meet", seconds=0.2), wants("meet", seconds=0)], TEXT)
    response = await answer(begin(provider, database, meet))
    assert outputs(response) == ["0.2", "0.0"]
    calls = response.function_calls
    assert [item.call_id for item in response.output[2:4] if isinstance(item, FunctionCallOutput)] == [
        call.call_id for call in calls
    ]


async def test_how_long_a_call_took(database: Database) -> None:
    """The time of each call is known, the slowest one's doesn't count for the others."""

    def wait(seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    run = begin(SteppedProvider([wants("wait", seconds=0.2), wants("wait", seconds=0)], TEXT), database, wait)
    slow, quick = (run.tool_seconds[call.call_id] for call in (await answer(run)).function_calls)
    assert slow >= 0.2
    assert quick < 0.2


async def test_an_error_is_what_the_model_reads(database: Database) -> None:
    """The turn goes on after a tool that fails, or arguments that are wrong."""
    provider = SteppedProvider([wants("double", x="four"), wants("double", '{"x": '), wants("double", x=1)], TEXT)
    response = await answer(begin(provider, database, double))
    assert [str(each)[:20] for each in outputs(response)] == ["Error: ValueError: x", "Error: ValueError: a", "2"]
    assert response.status == "completed"


# -- limits ---------------------------------------------------------------------------------------------------------


async def test_the_last_step_has_no_tools(database: Database) -> None:
    """At the recursion limit the model must answer without tools; then the answer is whole."""
    call = [wants("double", x=1)]
    provider = SteppedProvider(call, call, TEXT)
    runner = runner_of(provider, database, msgspec.structs.replace(catalog(), recursion_limit=3))
    response = await answer(runner.start(Turn(request=question()), tools=[as_tool(double)]))
    assert [request.tool_choice for request in provider.requests] == ["auto", "auto", "none"]
    assert (response.status, response.output_text) == ("completed", "Done.")


async def test_the_recursion_limit(database: Database) -> None:
    """A model that calls on for ever is stopped after 25 steps; the last call isn't run."""
    ran: list[int] = []
    provider = SteppedProvider([wants("note", x=1)])

    def note(x: int) -> None:
        """Note a number."""
        ran.append(x)

    response = await answer(begin(provider, database, note))
    assert (len(provider.requests), len(ran)) == (25, 24)
    assert response.incomplete_details is not None
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "recursion_limit")
    assert outputs(response)[-1] == "Error: not run, as no more tool calls are allowed in this answer."


async def test_max_tool_calls(database: Database) -> None:
    """As many calls as the request allows are run, and the next step has no tools."""
    provider = SteppedProvider([wants("double", x=1), wants("double", x=2), wants("double", x=3)], TEXT)
    response = await answer(begin(provider, database, double, request=question(max_tool_calls=2)))
    assert outputs(response) == ["2", "4", "Error: not run, as no more tool calls are allowed in this answer."]
    assert [request.tool_choice for request in provider.requests] == ["auto", "none"]
    assert response.status == "completed"


async def test_more_than_max_tool_calls(database: Database) -> None:
    """A model that calls all the same is stopped, and the answer says why."""
    provider = SteppedProvider([wants("double", x=1)])
    response = await answer(begin(provider, database, double, request=question(max_tool_calls=1)))
    assert response.incomplete_details is not None
    assert (len(provider.requests), response.incomplete_details.reason) == (2, "max_tool_calls")


@pytest.mark.parametrize(
    ("choice", "after"),
    [
        ("required", "auto"),
        (FunctionToolChoice(name="double"), "auto"),
        (only("double", "required"), only("double")),
        (only("double", "none"), only("double", "none")),
        ("none", "none"),
        ("auto", "auto"),
    ],
)
async def test_a_forced_choice_holds_once(database: Database, choice: Any, after: Any) -> None:
    """A call is forced at the first step only, or the model could never answer; limits hold on."""
    provider = SteppedProvider([wants("double", x=1)], TEXT)
    await answer(begin(provider, database, double, request=question(tool_choice=choice)))
    assert [request.tool_choice for request in provider.requests] == [choice, after]


# -- what may be called ---------------------------------------------------------------------------------------------


async def test_own_tools_that_are_not_allowed(database: Database) -> None:
    """They are not run, and the model learns why."""
    provider = SteppedProvider([wants("double", x=1), wants("square", x=3)], TEXT)
    request = question(tool_choice=only("square"))
    response = await answer(begin(provider, database, double, square, request=request))
    assert outputs(response) == ["Error: double may not be called now.", "9"]


async def test_client_tools_that_are_not_allowed(database: Database) -> None:
    """A call that the client ruled out must not reach it: the answer fails, and says which."""
    provider = SteppedProvider([wants("browse")])
    run = begin(provider, database, request=question(tools=(CLIENTS,), tool_choice=only("search")))
    assert kinds(await drain(run))[-2:] == ["error", "failed"]
    assert run.response.error is not None
    assert run.response.error.code == "tool_not_allowed"
    assert run.response.error.message == "The model called browse, which tool_choice does not allow."


async def test_client_tools_that_are_allowed(database: Database) -> None:
    """Their calls go out."""
    provider = SteppedProvider([wants("browse")])
    request = question(tools=(CLIENTS,), tool_choice=only("browse"))
    response = await answer(begin(provider, database, double, request=request))
    assert (response.status, [call.name for call in response.function_calls]) == ("completed", ["browse"])


async def test_a_name_that_both_have(database: Database) -> None:
    """The agent's own tool goes before a client's of the same name, and runs here."""
    theirs = FunctionTool(name="double", description="The client's.")
    provider = SteppedProvider([wants("double", x=2)], TEXT)
    response = await answer(begin(provider, database, double, request=question(tools=(theirs, CLIENTS))))
    assert outputs(response) == ["4"]
    assert provider.requests[0].tools == (as_tool(double).spec, CLIENTS)


# -- mixed turns ----------------------------------------------------------------------------------------------------


async def test_a_mixed_turn(database: Database) -> None:
    """The agent's own tools run here, the client's calls go out, and the model waits for the client."""
    provider = SteppedProvider([wants("double", x=2), wants("browse", url="a")], TEXT)
    response = await answer(begin(provider, database, double, request=question(tools=(CLIENTS,))))
    assert (response.status, outputs(response), len(provider.requests)) == ("completed", ["4"], 1)
    assert [call.name for call in response.function_calls] == ["double", "browse"]


async def test_a_mixed_turn_goes_on(database: Database) -> None:
    """With the client's result the model sees both calls and both results, in order."""
    provider = SteppedProvider([wants("double", x=2), wants("browse", url="a")], TEXT)
    request = question(tools=(CLIENTS,))
    first = await answer(begin(provider, database, double, request=request))
    theirs = first.function_calls[1]
    output = FunctionCallOutput(id="fco_1", call_id=theirs.call_id, output="a page")
    request = question(tools=(CLIENTS,), previous_response_id=first.id)
    request = msgspec.structs.replace(request, input=(output,))
    second = await answer(begin(provider, database, double, request=request))
    assert second.output_text == "Done."
    seen = provider.requests[1].input[1:]
    assert [(type(item), item.call_id) for item in seen if isinstance(item, FunctionCall | FunctionCallOutput)] == [
        (FunctionCall, first.function_calls[0].call_id),
        (FunctionCall, theirs.call_id),
        (FunctionCallOutput, first.function_calls[0].call_id),
        (FunctionCallOutput, theirs.call_id),
    ]


# -- approval -------------------------------------------------------------------------------------------------------


def asking(ran: list[str]) -> Tool:
    """Return a tool that wants a yes."""

    @tool(approval="ask")
    def delete(path: str) -> str:
        """Delete a file."""
        ran.append(path)
        return "gone"

    return delete


@pytest.mark.parametrize(
    ("granted", "output", "runs"),
    [
        (True, "gone", ["a"]),
        (False, "Error: the person declined this call.", []),
    ],
)
async def test_approval(database: Database, granted: bool, output: str, runs: list[str]) -> None:  # noqa: FBT001 - a case
    """A tool that wants a yes runs only with one; who is asked sees the call."""
    ran: list[str] = []
    asked: list[FunctionCall] = []

    async def approve(call: FunctionCall) -> bool:
        asked.append(call)
        return granted

    provider = SteppedProvider([wants("delete", path="a")], TEXT)
    response = await answer(begin(provider, database, asking(ran), approve=approve))
    assert (outputs(response), ran, tuple(asked)) == ([output], runs, response.function_calls)


async def test_nobody_to_approve(database: Database) -> None:
    """Without anyone to ask such a tool is not run."""
    ran: list[str] = []
    provider = SteppedProvider([wants("delete", path="a")], TEXT)
    response = await answer(begin(provider, database, asking(ran)))
    assert (outputs(response), ran) == (["Error: nobody is here to approve it."], [])


async def test_nobody_is_asked_for_nothing(database: Database) -> None:
    """Tools that want no yes, and calls that may not run, ask nobody."""

    async def approve(_: FunctionCall) -> bool:
        raise AssertionError("asked")

    provider = SteppedProvider([wants("double", x=1), wants("delete", path="a")], TEXT)
    request = question(tool_choice=only("double"))
    response = await answer(begin(provider, database, double, asking([]), request=request, approve=approve))
    assert outputs(response) == ["2", "Error: delete may not be called now."]
