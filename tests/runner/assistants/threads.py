"""Threads in which assistants answer, and what their runs tell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.runner.fakes import SteppedProvider, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.protocol.assistants.requests import (
    CreateAssistant,
    CreateMessage,
    CreateRun,
    CreateThread,
    SubmitOutputs,
    ToolOutput,
)
from agentbench.protocol.assistants.tools import FunctionSpec, FunctionTool
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.runner.fakes import FakeProvider

    from agentbench.auth.principal import Principal
    from agentbench.config import Catalog
    from agentbench.protocol.assistants.events import AssistantEvent
    from agentbench.protocol.assistants.objects import Run, RunStep, ThreadMessage
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

__all__ = ["WEATHER", "Talked", "names", "said", "talking"]

WEATHER = FunctionTool(function=FunctionSpec(name="weather", description="Tells the weather."))


class Talked:
    """A thread with a question, and an assistant to answer it."""

    def __init__(self, runner: Runner, principal: Principal, *, thread: str, assistant: str) -> None:
        self.runner = runner
        self.desk = runner.assistants
        self.principal = principal
        self.thread = thread
        self.assistant = assistant

    async def start(self, **values: Any) -> Run:
        """Start a run."""
        return await self.desk.start(self.principal, self.thread, CreateRun(assistant_id=self.assistant, **values))

    async def ended(self, **values: Any) -> Run:
        """Start a run, and return it once it has ended or waits."""
        run = await self.start(**values)
        await self.told(run)
        return await self.run(run)

    async def told(self, run: Run) -> list[AssistantEvent]:
        """Return what a stretch tells, once it has ended."""
        return [event async for batch in self.desk.follow(run.id) for event in batch]

    async def run(self, run: Run) -> Run:
        """Return a run as it is now."""
        return await self.desk.run(self.principal, self.thread, run.id)

    async def submit(self, run: Run, *outputs: str | None) -> Run:
        """Answer the calls that a run waits for, in order."""
        assert run.required_action is not None
        calls = run.required_action.submit_tool_outputs.tool_calls
        given = tuple(ToolOutput(tool_call_id=call.id, output=text) for call, text in zip(calls, outputs, strict=True))
        return await self.desk.submit(self.principal, self.thread, run.id, SubmitOutputs(tool_outputs=given))

    async def say(self, text: str) -> None:
        """Add a message."""
        await self.desk.add_message(self.principal, self.thread, CreateMessage(role="user", content=text))

    async def messages(self) -> list[ThreadMessage]:
        """Return the thread's messages, oldest first."""
        return list((await self.desk.messages(self.principal, self.thread, Page(order="asc"))).data)

    async def steps(self, run: Run) -> list[RunStep]:
        """Return a run's steps, oldest first."""
        return list((await self.desk.steps(self.principal, self.thread, run.id, Page(order="asc"))).data)


@asynccontextmanager
async def talking(
    database: Database,
    *answers: Any,
    provider: FakeProvider | None = None,
    known: Catalog | None = None,
    principal: Principal = KERNEL,
    **assistant: Any,
) -> AsyncIterator[Talked]:
    """Give a thread that asks "What?", and an assistant whose model gives these answers one after another."""
    runner = runner_of(provider or SteppedProvider(*answers), database, known)
    desk = runner.assistants
    made = await desk.create(principal, CreateAssistant(**{"model": "bot", **assistant}))
    question = CreateMessage(role="user", content="What?")
    thread = await desk.create_thread(principal, CreateThread(messages=(question,)))
    yield Talked(runner, principal, thread=thread.id, assistant=made.id)
    await runner.titles.settled()
    await desk.aclose()


def names(events: list[AssistantEvent]) -> list[str]:
    """Return the events' names, without their common prefix, and one of several deltas."""
    found = [event.name.removeprefix("thread.") for event in events]
    return [each for place, each in enumerate(found) if place == 0 or each != found[place - 1] or "delta" not in each]


def said(message: ThreadMessage) -> str:
    """Return a message's text."""
    return "".join(part.text.value for part in message.content if hasattr(part, "text"))
