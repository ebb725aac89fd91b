"""Functions that the client runs, and tools that run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.runner.assistants.threads import WEATHER, names, said, talking
from tests.runner.fakes import SteppedProvider, catalog, wants

from agentbench.auth.principal import KERNEL
from agentbench.config import Agent
from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.requests import SubmitOutputs, ToolOutput
from agentbench.protocol.assistants.tools import FunctionName, NamedChoice
from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.protocol.request import FunctionToolChoice

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_a_call(database: Database) -> None:
    """A run whose model calls a function waits for its output, and goes on with it."""
    provider = SteppedProvider(["Well. ", wants("weather", city="Rome")], ["Sunny."])
    async with talking(database, provider=provider, tools=(WEATHER,)) as thread:
        run = await thread.start()
        before = names(await thread.told(run))
        step = ["run.step.created", "run.step.in_progress", "run.step.delta"]
        assert before[-4:] == [*step, "run.requires_action"]
        run = await thread.run(run)
        assert run.status == "requires_action"
        assert run.required_action is not None
        assert run.usage is None
        (call,) = run.required_action.submit_tool_outputs.tool_calls
        assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Rome"}')
        assert (await thread.submit(run, "22 degrees")).status == "queued"
        after = names(await thread.told(run))
        assert after[:3] == ["run.step.completed", "run.queued", "run.in_progress"]
        assert after[-1] == "run.completed"
        assert [said(each) for each in await thread.messages()] == ["What?", "Well. ", "Sunny."]
        _, called, _ = await thread.steps(run)
    assert called.step_details["tool_calls"][0]["function"]["output"] == "22 degrees"
    output = provider.requests[1].input[-1]
    assert isinstance(output, FunctionCallOutput)
    assert output.output == "22 degrees"


async def test_calls_side_by_side(database: Database) -> None:
    """Calls that the model makes at once are one step, and answered at once; no output is an empty one."""
    provider = SteppedProvider([wants("weather", city="Rome"), wants("weather", city="Oslo")], ["Ok."])
    async with talking(database, provider=provider, tools=(WEATHER,)) as thread:
        run = await thread.ended()
        (step,) = await thread.steps(run)
        assert len(step.step_details["tool_calls"]) == 2
        await thread.submit(run, "warm", None)
        await thread.told(run)
        assert (await thread.run(run)).status == "completed"
    outputs = [item.output for item in provider.requests[1].input if isinstance(item, FunctionCallOutput)]
    assert outputs == ["warm", ""]


async def test_calls_again(database: Database) -> None:
    """A run may call more than once; its tokens are those of all stretches."""
    provider = SteppedProvider([wants("weather")], [wants("weather")], ["Ok."])
    async with talking(database, provider=provider, tools=(WEATHER,)) as thread:
        run = await thread.ended()
        for text in ("first", "second"):
            await thread.submit(await thread.run(run), text)
            await thread.told(run)
        ended = await thread.run(run)
        rows = ended.usage
        assert ended.status == "completed"
        assert len(await thread.steps(run)) == 3
        assert rows is not None
        assert rows.total_tokens == rows.prompt_tokens + rows.completion_tokens > 0
        await thread.say("And?")
        await thread.ended()
    kinds = [type(item) for item in provider.requests[2].input[1:]]
    assert kinds == [FunctionCall, FunctionCallOutput] * 2


async def test_bad_outputs(database: Database) -> None:
    """Outputs for an unknown call, too few, or of a run that doesn't wait are refused; the run still waits."""
    async with talking(database, [wants("weather")], ["Ok."], tools=(WEATHER,)) as thread:
        run = await thread.ended()
        assert run.required_action is not None
        call = run.required_action.submit_tool_outputs.tool_calls[0].id
        for given in ((), ("call_x",), (call, call), (None,)):
            outputs = SubmitOutputs(tool_outputs=tuple(ToolOutput(tool_call_id=each, output="") for each in given))
            with pytest.raises(InvalidRequest):
                await thread.desk.submit(KERNEL, thread.thread, run.id, outputs)
        assert (await thread.run(run)).status == "requires_action"
        await thread.submit(run, "fine")
        await thread.told(run)
        with pytest.raises(InvalidRequest, match="'completed' do not accept"):
            await thread.submit(run, "again")


async def test_a_deleted_assistant(database: Database) -> None:
    """A run goes on with what it began with, also once its assistant is deleted."""
    provider = SteppedProvider([wants("weather")], ["Ok."])
    async with talking(database, provider=provider, tools=(WEATHER,), instructions="Be kind.") as thread:
        run = await thread.ended()
        await thread.desk.delete(KERNEL, thread.assistant)
        await thread.submit(run, "fine")
        await thread.told(run)
        assert (await thread.run(run)).status == "completed"
    assert provider.requests[1].instructions == "Be kind."


async def test_forcing_a_function(database: Database) -> None:
    """A run may force a function; once it was called, the model is free. One that isn't there can't be forced."""
    provider = SteppedProvider([wants("weather")], ["Ok."])
    choice = NamedChoice(type="function", function=FunctionName(name="weather"))
    async with talking(database, provider=provider, tools=(WEATHER,)) as thread:
        run = await thread.ended(tool_choice=choice, parallel_tool_calls=False)
        await thread.submit(run, "fine")
        await thread.told(run)
        with pytest.raises(InvalidRequest, match="'weather'"):
            await thread.start(tool_choice=choice, tools=())
    first, second = provider.requests
    assert (first.tool_choice, second.tool_choice) == (FunctionToolChoice(name="weather"), "auto")
    assert first.parallel_tool_calls is False


async def test_tools_of_an_agent(database: Database) -> None:
    """Tools of the agent that answers run here, and show as steps that are done; the client's are left to it."""
    known = catalog(agents=(Agent(id="bot", name="Bot", endpoint="fake", tools=("clock",)),))
    answers = [wants("clock"), wants("weather")], ["Ok."]
    async with talking(database, *answers, known=known, tools=(WEATHER,)) as thread:

        def clock() -> str:
            return "noon"

        thread.runner.toolbox.add(clock)
        run = await thread.ended()
        assert run.required_action is not None
        (call,) = run.required_action.submit_tool_outputs.tool_calls
        assert call.function.name == "weather"
        await thread.submit(run, "fine")
        await thread.told(run)
        step, _ = await thread.steps(run)
    assert [each["function"]["output"] for each in step.step_details["tool_calls"]] == ["noon", "fine"]
    assert msgspec.json.encode(step)
