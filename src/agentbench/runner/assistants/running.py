"""Runs of assistants in threads: started, followed, answered with the outputs of functions, cancelled, looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.events import AssistantEvent
from agentbench.protocol.assistants.objects import TERMINAL, Run, Thread
from agentbench.protocol.assistants.requests import CreateThread
from agentbench.protocol.assistants.tools import FileSearch
from agentbench.runner.assistants.answering import PASSAGES, Answering
from agentbench.runner.assistants.calling import shown, with_outputs
from agentbench.runner.assistants.limits import check_tools, checked
from agentbench.runner.assistants.personas import Persona, answering, chat_agent, functions, search_options
from agentbench.runner.assistants.planning import planned
from agentbench.runner.assistants.states import close, find, look_at
from agentbench.runner.assistants.talking import until_unchanged
from agentbench.storage import background, runs, threads
from agentbench.storage.paging import listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Listing, RunStep
    from agentbench.protocol.assistants.requests import ChangeMetadata, CreateRun, CreateThreadAndRun, SubmitOutputs
    from agentbench.storage.paging import Page
    from agentbench.storage.runs import StoredRun

__all__ = ["Running"]


class Running(Answering):
    """Runs and their steps. Each is worked on by a task of the event loop that started it."""

    async def start(self, principal: Principal, thread_id: str, body: CreateRun, *, include: Sequence[str] = ()) -> Run:
        """Start a run; returns once it is stored. Raises `InvalidRequest`, also while another run is active."""
        return await self._begin(principal, thread_id, checked(body), include=tuple(include))

    async def start_with_thread(self, principal: Principal, body: CreateThreadAndRun) -> Run:
        """Make a thread and start a run in it; raises as `create_thread` and `start` do."""
        self._check_room()
        body = checked(body)
        wanted = body.thread or CreateThread()
        if body.tool_resources is not None:
            wanted = msgspec.structs.replace(wanted, tool_resources=body.tool_resources)
        stored = await self.stored(principal, body.assistant_id)  # nobody's thread is made for a run that can't be
        planned(self._runner, principal, stored, Thread(id="", created_at=0), body)
        thread = await self.create_thread(principal, wanted)
        created = AssistantEvent(name="thread.created", data=thread)
        return await self._begin(principal, thread.id, body, begun=(created,))

    def follow(self, run_id: str, *, begun: int = 0) -> AsyncGenerator[list[AssistantEvent]]:
        """Return all events of the stretch that this process works on, or did last, but for the first `begun`.

        It ends where the client has to act or the run ends. Raises `UnknownName` for a run of another process.
        """
        if run_id not in self._works:
            raise UnknownName("run", run_id)
        return self._works[run_id][0].follow(begun)

    async def submit(self, principal: Principal, thread_id: str, run_id: str, body: SubmitOutputs) -> Run:
        """Give a run what its calls gave back, and let it go on; raises `InvalidRequest` unless all of them are there.

        It goes on with what it was started with, also where the assistant was changed or deleted.
        """
        self._check_room()
        await self._looked_at(principal, thread_id, run_id)

        def job(connection: Connection) -> tuple[StoredRun, list[RunStep]]:
            threads.lock(connection, thread_id)
            found = find(connection, thread_id, run_id, principal.user)
            outputs = _outputs(found.run, body)
            steps = [with_outputs(each, outputs) for each in _waiting(runs.all_steps(connection, run_id))]
            for each in steps:
                runs.save_step(connection, each)
            run = msgspec.structs.replace(found.run, status="queued", required_action=None)
            found = msgspec.structs.replace(found, run=run)
            runs.save(connection, found)
            background.begin(connection, run_id, datetime.now(UTC))
            return found, steps

        stored, steps = await self._database.write(job)
        whole = PASSAGES in stored.include
        told = [AssistantEvent(name="thread.run.step.completed", data=shown(each, whole=whole)) for each in steps]
        told.append(AssistantEvent(name="thread.run.queued", data=stored.run))
        self._work_on(principal, stored, told, watched=bool(body.stream))
        return stored.run

    async def cancel(self, principal: Principal, thread_id: str, run_id: str) -> Run:
        """Cancel a run: at once if it waits for the client, else soon; raises `InvalidRequest` if it has ended."""
        await self._looked_at(principal, thread_id, run_id)

        def job(connection: Connection) -> StoredRun:
            threads.lock(connection, thread_id)
            found = find(connection, thread_id, run_id, principal.user)
            if found.run.status in TERMINAL:
                raise InvalidRequest(f"Cannot cancel run with status {found.run.status!r}.", param="run_id")
            if found.run.status == "requires_action":
                return close(connection, found, "cancelled")
            background.request_stop(connection, run_id)
            found = msgspec.structs.replace(found, run=msgspec.structs.replace(found.run, status="cancelling"))
            runs.save(connection, found)
            return found

        stored = await self._database.write(job)
        if stored.run.status == "cancelling" and run_id in self._works:
            work, _ = self._works[run_id]
            work.loop.call_soon_threadsafe(work.cancel, stored)
        return stored.run

    async def run(self, principal: Principal, thread_id: str, run_id: str) -> Run:
        """Return a run of the caller's as it is now."""
        return (await self._looked_at(principal, thread_id, run_id)).run

    async def runs(self, principal: Principal, thread_id: str, page: Page) -> Listing:
        """Return a page of the runs of the caller's thread."""
        await self.thread(principal, thread_id)
        await self.settle(thread_id)
        found = await self._database.read(partial(runs.page, thread_id=thread_id, page=page))
        return listing([each.run for each in found], page)

    async def change_run(self, principal: Principal, thread_id: str, run_id: str, body: ChangeMetadata) -> Run:
        """Give a run other metadata."""
        metadata = checked(body).metadata

        def job(connection: Connection) -> Run:
            threads.lock(connection, thread_id)
            found = find(connection, thread_id, run_id, principal.user)
            if metadata is not UNSET:
                run = msgspec.structs.replace(found.run, metadata=metadata or {})
                found = msgspec.structs.replace(found, run=run)
                runs.save(connection, found)
            return found.run

        return await self._database.write(job)

    async def step(
        self, principal: Principal, thread_id: str, run_id: str, step_id: str, *, include: Sequence[str] = ()
    ) -> RunStep:
        """Return a step of the caller's run."""

        def job(connection: Connection) -> RunStep:
            find(connection, thread_id, run_id, principal.user)
            found = runs.step(connection, run_id, step_id)
            if found is None:
                raise UnknownName("step", step_id)
            return shown(found, whole=PASSAGES in include)

        return await self._database.read(job)

    async def steps(
        self, principal: Principal, thread_id: str, run_id: str, page: Page, *, include: Sequence[str] = ()
    ) -> Listing:
        """Return a page of the steps of the caller's run."""

        def job(connection: Connection) -> Listing:
            find(connection, thread_id, run_id, principal.user)
            found = runs.steps(connection, run_id, page)
            return listing([shown(each, whole=PASSAGES in include) for each in found], page)

        return await self._database.read(job)

    async def persona(self, principal: Principal, assistant_id: str) -> Persona:
        """Return an assistant as what a turn of a chat takes, outside any thread; raises as `start` does."""
        stored = await self.stored(principal, assistant_id)
        assistant = stored.assistant
        check_tools(self.settings, assistant.tools, model=assistant.model)
        target = answering(self._runner, principal, assistant.model)
        searches = any(isinstance(each, FileSearch) for each in assistant.tools)
        resources, options = assistant.tool_resources, search_options(assistant.tools)
        return Persona(
            agent=chat_agent(self._runner.catalog, assistant, target),
            documents=await self.documents(stored.user, resources, options) if searches else (),
            tools=functions(assistant.tools),
            assistant=assistant,
        )

    async def settle(self, thread_id: str) -> None:
        """Mark a run of the thread as expired if nobody works on it, or waits for it, any more."""
        stored = await self._database.read(partial(runs.active, thread_id=thread_id))
        if stored is not None:
            await self._database.write(partial(look_at, stored=stored, here=self._here))

    async def _begin(
        self,
        principal: Principal,
        thread_id: str,
        body: CreateRun,
        *,
        include: tuple[str, ...] = (),
        begun: Sequence[AssistantEvent] = (),
    ) -> Run:
        self._check_room()
        async with self.alone(thread_id):
            stored = await until_unchanged(partial(self._added, principal, thread_id, body, include))
        names = ("thread.run.created", "thread.run.queued")
        told = [*begun, *(AssistantEvent(name=name, data=stored.run) for name in names)]
        self._work_on(principal, stored, told, watched=bool(body.stream))
        return stored.run

    async def _added(
        self, principal: Principal, thread_id: str, body: CreateRun, include: tuple[str, ...]
    ) -> StoredRun:
        """Store a run and its additional messages."""
        before = await self.stored_thread(principal, thread_id)
        assistant = await self.stored(principal, body.assistant_id)
        await self.settle(thread_id)
        plan = partial(planned, self._runner, principal, assistant, body=body, include=include)
        plan(before.thread)  # before files are attached
        await self._database.read(partial(_check_idle, thread_id=thread_id))
        more = body.additional_messages or ()
        thread, messages = await self.written(principal, before, more, "additional_messages")
        stored = plan(thread.thread)

        def job(connection: Connection) -> None:
            runs.add(connection, stored)
            self.add_written(connection, thread, messages, before=before)
            background.begin(connection, stored.run.id, datetime.now(UTC))

        await self._database.write(job)
        return stored

    async def _looked_at(self, principal: Principal, thread_id: str, run_id: str) -> StoredRun:
        job = partial(find, thread_id=thread_id, run_id=run_id, user=principal.user)
        stored = await self._database.read(job)
        if stored.run.status in TERMINAL or run_id in self._here:
            return stored
        return await self._database.write(partial(look_at, stored=stored, here=self._here))


def _check_idle(connection: Connection, thread_id: str) -> None:
    """Raise what adding a run would."""
    if (other := runs.active(connection, thread_id)) is not None:
        raise InvalidRequest(f"Thread {thread_id} already has an active run {other.run.id}.", param="thread_id")


def _outputs(run: Run, body: SubmitOutputs) -> dict[str, str]:
    """Return the outputs by their calls; raises `InvalidRequest` unless they are those that the run waits for."""
    if run.required_action is None:
        raise InvalidRequest(f"Runs in status {run.status!r} do not accept tool outputs.", param="run_id")
    wanted = [each.id for each in run.required_action.submit_tool_outputs.tool_calls]
    outputs: dict[str, str] = {}
    for number, each in enumerate(body.tool_outputs):
        call = each.tool_call_id
        if call not in wanted or call in outputs:
            known = ", ".join(wanted)
            message = f"{call!r} is no call that run {run.id} waits for, or comes twice. It waits for {known}."
            raise InvalidRequest(message, param=f"tool_outputs[{number}].tool_call_id")
        outputs[call] = each.output or ""
    if missing := [each for each in wanted if each not in outputs]:
        raise InvalidRequest(
            f"The outputs of {', '.join(missing)} are missing: send all at once.", param="tool_outputs"
        )
    return outputs


def _waiting(steps: Sequence[RunStep]) -> list[RunStep]:
    return [each for each in steps if each.type == "tool_calls" and each.status == "in_progress"]
