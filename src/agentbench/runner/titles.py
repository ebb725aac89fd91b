"""Names conversations: at once by the question's first words, then by a model where the endpoint wants that.

A model's title is made in a task of its own, on the event loop of the answer: no answer waits for it, or fails with
it. What is asked lies in `title_prompts.py`, what is made of the answer in `title_text.py`.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Literal

from agentbench.config.effective import endpoint_for
from agentbench.config.settings import CURRENT_MODEL
from agentbench.errors import AgentbenchError, InvalidRequest, StorageError
from agentbench.runner.side_calls import SideCalls
from agentbench.runner.target import Target, reachable
from agentbench.runner.title_prompts import first_question, title_request
from agentbench.runner.title_text import cleaned, first_words, structured_title
from agentbench.storage import conversations

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config.endpoint import Catalog
    from agentbench.protocol import Response
    from agentbench.providers import Providers
    from agentbench.runner.purse import Purse
    from agentbench.runner.turn import Turn
    from agentbench.storage.conversations import TitledBy
    from agentbench.storage.database import Database
    from agentbench.telemetry import Telemetry

__all__ = ["Titler", "title_target"]

_SECONDS = 45.0
_CLOSING_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Titler:
    """Gives conversations their titles. `aclose` ends what is being made.

    `catalog` returns the catalog as it is now; a model has so many `seconds` for a title.
    """

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        providers: Providers,
        database: Database,
        *,
        purse: Purse | None = None,
        telemetry: Telemetry | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._catalog = catalog
        self._database = database
        self._calls = SideCalls(
            catalog, providers, database, purse=purse, telemetry=telemetry, context="title", seconds=seconds
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, turn: Turn, target: Target) -> Callable[[Response], None] | None:
        """Name the conversation of a first turn by the question's first words, unless a person has named it.

        A model's title goes only where a cell is run again: any other first turn of a conversation that has one is
        another branch of it. If a model is to name it, returns what to call with the answer once that has ended,
        however it did.
        """
        if turn.conversation is None or not turn.request.store:
            return None
        self._cancel(turn)  # an earlier first turn's
        words = first_words(first_question(turn.request))
        is_rerun = turn.past is None and turn.cell is not None and turn.cell.id is not None
        keep: tuple[TitledBy, ...] = ("person",) if is_rerun else ("person", "model")
        try:
            is_ours = await self._suggest(turn, words or None, "words", keep=keep, within=self._database.patience)
        except StorageError as error:
            _log.info("conversation %s has no name yet: %s", turn.conversation, error.message)
            return None
        if not (is_ours and target.endpoint.titles.enabled):
            return None
        if target.endpoint.titles.timing == "immediate":
            self._start(turn, target, "")
        return partial(self._end, turn, target)

    async def settled(self) -> None:
        """Wait until no title is being made on this event loop."""
        if tasks := self._tasks_here():
            await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Wait a moment for the titles that are being made on this event loop, then drop them; call it there."""
        if tasks := self._tasks_here():
            _, slow = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    def _tasks_here(self) -> list[asyncio.Task[None]]:
        here = asyncio.get_running_loop()
        return [task for task in self._tasks if task.get_loop() is here]

    def _end(self, turn: Turn, target: Target, response: Response) -> None:
        if _is_stopped(response):
            self._cancel(turn)
        elif target.endpoint.titles.timing == "final" and response.status != "failed":
            self._start(turn, target, response.output_text)

    def _start(self, turn: Turn, target: Target, answer: str) -> None:
        question = first_question(turn.request)
        if question or answer:
            task = asyncio.create_task(self._work(turn, target, question, answer), name=turn.conversation)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _cancel(self, turn: Turn) -> None:
        for task in self._tasks:
            if task.get_name() == turn.conversation:
                task.cancel()

    async def _work(self, turn: Turn, target: Target, question: str, answer: str) -> None:
        try:
            if title := await self._made(turn, target, question, answer):
                await self._suggest(turn, title, "model")
        except AgentbenchError as error:
            _log.warning("No model named conversation %s: %s", turn.conversation, error.message)
        except Exception:  # noqa: BLE001 - nobody reads this task: the log is told
            _log.exception("naming conversation %s broke off", turn.conversation)

    async def _made(self, turn: Turn, target: Target, question: str, answer: str) -> str:
        """Ask for a title; empty if the model's answer holds none."""
        titles, asked = target.endpoint.titles, title_target(self._catalog(), target)
        reachable(asked.endpoint, remote=turn.principal.remote)
        answered = await self._calls.ask(turn, asked, title_request(question, answer, titles, asked))
        read = structured_title if titles.method == "structured" else cleaned
        return read(answered)

    async def _suggest(
        self,
        turn: Turn,
        title: str | None,
        by: Literal["words", "model"],
        *,
        keep: tuple[TitledBy, ...] = ("person",),
        within: float | None = None,
    ) -> bool:
        key = turn.conversation or ""
        job = partial(conversations.suggest_title, conversation_id=key, title=title, by=by, keep=keep)
        return await self._database.write(job, within=within)


def _is_stopped(response: Response) -> bool:
    cut = response.incomplete_details
    return response.status == "cancelled" or (cut is not None and cut.reason == "interrupted")


def title_target(catalog: Catalog, answering: Target) -> Target:
    """Return who makes the title. Another endpoint never gets the name of a model that it may not know.

    The endpoint is the catalog's, as the answering one has the headers of the answer's own request; what an agent sets
    for it holds here too.
    """
    titles = answering.endpoint.titles
    endpoint = catalog.endpoint(titles.endpoint or answering.endpoint.name)
    if endpoint.name == answering.endpoint.name:
        endpoint = endpoint_for(catalog, endpoint, answering.agent)
    model = None if titles.model == CURRENT_MODEL else titles.model
    if model is None:
        model = answering.model if endpoint.name == answering.endpoint.name else endpoint.default_model
    if model is None:
        raise InvalidRequest(f"{endpoint.name} has no default model. Set titleModel beside titleEndpoint.")
    return Target(agent=None, endpoint=endpoint, model=model)
