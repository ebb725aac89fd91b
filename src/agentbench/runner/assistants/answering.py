"""How a stretch of a run becomes a turn of the runner: its past, its request, its documents and its tools."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from itertools import chain, count
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import RateLimited, StorageError, UnknownName
from agentbench.protocol.assistants.tools import CodeInterpreter, SearchResources, ToolResources
from agentbench.runner.assistants.asking import earlier, exchanges, fitting, request_of, tokens_left
from agentbench.runner.assistants.calling import outputs_of
from agentbench.runner.assistants.coding import Coding
from agentbench.runner.assistants.inputs import item_of, split
from agentbench.runner.assistants.personas import agent_of, search_options
from agentbench.runner.assistants.states import GONE_SECONDS, look_at
from agentbench.runner.assistants.talking import Talking
from agentbench.runner.assistants.trail import Trail
from agentbench.runner.assistants.working import Outcome, Work
from agentbench.runner.background import MOST_RUNS
from agentbench.runner.turn import Turn
from agentbench.storage import conversations, responses, runs, threads
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence
    from contextlib import AsyncExitStack

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Agent
    from agentbench.protocol.assistants.events import AssistantEvent
    from agentbench.protocol.assistants.objects import ThreadMessage
    from agentbench.protocol.items import FunctionCallOutput, Message
    from agentbench.runner.documents import Document
    from agentbench.runner.run import Run
    from agentbench.runner.runner import Runner
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.runs import StoredRun

__all__ = ["PASSAGES", "Answering"]

PASSAGES = "step_details.tool_calls[*].file_search.results[*].content"
"""What `include` names to have the passages that were found."""

_KEPT_SECONDS = 60.0
_CLOSING_SECONDS = 5.0
_log = logging.getLogger(__name__)


class Answering(Talking):
    """The work on runs: one task each, until the client has to act or the run ends. `aclose` ends them."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(runner)
        self._works: dict[str, tuple[Work, asyncio.Task[None]]] = {}
        self._resuming: asyncio.Task[None] | None = None

    def resume(self) -> None:
        """Mark the runs that ended processes have left, in a task of this event loop: now, and when the rest is due."""
        if self._resuming is None or self._resuming.done():
            self._resuming = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        try:
            if await self._database.read(partial(_left, here=self._here)):
                await self._expire()
                await asyncio.sleep(GONE_SECONDS + 1)  # one that was killed just now may seem to live
                await self._expire()
        except StorageError as error:
            _log.warning("Runs that ended processes have left could not be looked for: %s", error.message)

    async def _expire(self) -> None:
        for each in await self._database.read(partial(_left, here=self._here)):
            await self._database.write(partial(look_at, stored=each, here=self._here))

    async def aclose(self) -> None:
        """Stop the work of this event loop and wait for its end; call it there. The runs are failed then."""
        here = asyncio.get_running_loop()
        if self._resuming is not None and self._resuming.get_loop() is here:
            self._resuming.cancel()
            await asyncio.gather(self._resuming, return_exceptions=True)
        ending = [(work, task) for work, task in self._works.values() if work.loop is here and not task.done()]
        for work, _ in ending:
            work.stop("stopped")
        tasks = [task for _, task in ending]
        if tasks:
            _, slow = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    @property
    def _here(self) -> frozenset[str]:
        """The runs that this process works on."""
        return frozenset(run_id for run_id, (work, _) in self._works.items() if not work.ended.is_set())

    def _check_room(self) -> None:
        if len(self._here) >= MOST_RUNS:
            raise RateLimited(f"{MOST_RUNS} runs are being worked on. Wait for some.", retry_after=5)

    def _work_on(
        self, principal: Principal, stored: StoredRun, begun: Sequence[AssistantEvent], *, watched: bool
    ) -> None:
        """Begin the task of a stretch, about which so much can be told already."""
        for run_id, (work, _) in list(self._works.items()):
            if work.ended.is_set() and time.monotonic() - work.ended_at > _KEPT_SECONDS:
                del self._works[run_id]
        trail = Trail(stored.run, code=self._runs_code(stored), whole=PASSAGES in stored.include)
        work = Work(
            self._database,
            stored,
            trail,
            partial(self._started, principal=principal, trail=trail),
            begun=begun,
            seconds=self.settings.time_limit,
            watched=watched,
        )
        self._works[stored.run.id] = (work, asyncio.create_task(work.work()))

    async def _started(
        self, stored: StoredRun, opened: AsyncExitStack, *, principal: Principal, trail: Trail
    ) -> Run | Outcome:
        """Return the run of the turn that a stretch is, or how the stretch ends without one."""
        said = await self._database.read(partial(_said, stored=stored))
        older, new = await self._items(principal, said.older), await self._items(principal, said.new)
        request = request_of(stored, said.outputs or new)
        groups = fitting(request, exchanges(older), tokens_left(stored, "prompt"))
        if tokens_left(stored, "completion") == 0:
            return Outcome(status="incomplete", reason="max_completion_tokens")
        if groups is None:
            return Outcome(status="incomplete", reason="max_prompt_tokens")
        has_words = any(item.role == "user" and item.text.strip() for item in (*older, *new))
        turn = Turn(
            request=request,
            principal=principal,
            persona=self._agent(stored),
            conversation=stored.run.thread_id,
            past=(*earlier(stored, groups, said.head), *said.stretches),
            documents=await self._documents(stored) if has_words else (),
        )
        tools = [(await self._coding(principal, stored, trail, opened)).tool] if self._runs_code(stored) else []
        return self._runner.start(turn, tools=tools)

    async def _coding(self, principal: Principal, stored: StoredRun, trail: Trail, opened: AsyncExitStack) -> Coding:
        """Return the code interpreter; files that were deleted meanwhile aren't among those that it reads."""
        files: dict[str, Callable[[], Awaitable[bytes]]] = {}
        for file_id, user in stored.files:
            with suppress(UnknownName):
                file = await self._library.file(Reader(user), file_id)
                files[_unused(file.name, files)] = partial(self._bytes, Reader(user), file_id)
        save = partial(self.save_output, principal)
        return Coding(self.settings, trail, opened, files=files, save=save)

    async def _bytes(self, reader: Reader, file_id: str) -> bytes:
        return b"".join([part async for part in self._library.content(reader, file_id)])

    async def _items(self, principal: Principal, messages: Sequence[ThreadMessage]) -> list[Message]:
        """Return messages as the model gets them."""
        picture = partial(self.data_url, principal)
        found = [await item_of(each, picture=picture, name=partial(self._file_name, principal)) for each in messages]
        return [each for each in found if each is not None]

    async def _file_name(self, principal: Principal, file_id: str) -> str:
        return (await self._library.file(Reader(principal.user), file_id)).name

    def _agent(self, stored: StoredRun) -> Agent:
        run = stored.run
        name = run.assistant_id or ""
        return agent_of(self._runner.catalog, name=name, assistant_id=name, model=run.model, base=stored.agent)

    async def _documents(self, stored: StoredRun) -> tuple[Document, ...]:
        """Return what is searched; nothing where the run may use no tool at all."""
        if stored.run.tool_choice == "none":
            return ()
        found: list[Document] = []
        for store, user in stored.searched:
            resources = ToolResources(file_search=SearchResources(vector_store_ids=(store,)))
            found += await self.documents(user, resources, search_options(stored.run.tools))
        return tuple(found)

    def _runs_code(self, stored: StoredRun) -> bool:
        has_tool = any(isinstance(each, CodeInterpreter) for each in stored.run.tools)
        return has_tool and self.settings.code_interpreter and stored.run.tool_choice != "none"


def _unused(name: str, taken: Container[str]) -> str:
    """Return a file's name, with a number where another file has it."""
    path = PurePath(name)
    names = chain([name], (f"{path.stem}-{number}{path.suffix}" for number in count(2)))
    return next(each for each in names if each not in taken)


def _left(connection: Connection, here: Container[str]) -> list[StoredRun]:
    return [each for each in runs.unfinished(connection) if each.run.id not in here]


class _Said(NamedTuple):
    """What was said in a thread, as a stretch of a run finds it."""

    older: list[ThreadMessage]
    new: list[ThreadMessage]
    head: str | None
    stretches: tuple[StoredResponse, ...]
    """Of this run, before this one."""
    outputs: tuple[FunctionCallOutput, ...]
    """What the client gave back for the calls of the last one."""


def _said(connection: Connection, stored: StoredRun) -> _Said:
    run = stored.run
    found = [responses.get(connection, each, stored.user) for each in stored.responses]
    stretches = tuple(each for each in found if each is not None)
    head = conversations.get(connection, run.thread_id, stored.user)
    messages = threads.all_messages(connection, run.thread_id)
    sent = frozenset(item.id for each in stretches for item in each.input)
    before = stretches[0].parent if stretches else None if head is None else head.head
    truncation = run.truncation_strategy
    most = truncation.last_messages if truncation is not None and truncation.type == "last_messages" else None
    older, new = split(messages, run.id, most=most, head=before, sent=sent)
    steps = runs.all_steps(connection, run.id) if stretches else ()
    outputs = outputs_of(steps, stretches[-1].response) if stretches else ()
    return _Said(older, new, before, stretches, outputs)
