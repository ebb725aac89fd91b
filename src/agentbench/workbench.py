"""The workbench: the one place that builds every part and owns its lifetime."""

from __future__ import annotations

import os
from contextlib import aclosing
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentbench.auth.principal import KERNEL
from agentbench.config.load import load
from agentbench.errors import AnswerFailed, InvalidRequest, UnknownName
from agentbench.gateway.crossing import Crossing, LoopThread
from agentbench.protocol.compose import request_of
from agentbench.protocol.request import TextConfig
from agentbench.protocol.schema import schema_format
from agentbench.providers import Providers
from agentbench.runner import Cell, Run, Runner, Turn
from agentbench.storage import conversations, responses, usage
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType
    from typing import Self

    import openai as openai_sdk
    import pandas as pd
    from sqlalchemy import Connection
    from starlette.types import ASGIApp

    from agentbench.protocol import Event, Response
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse

T = TypeVar("T")

__all__ = ["Stream", "Workbench"]

IN_PROCESS_URL = "http://agentbench.invalid/api/agents/v1"
"""Where in-process clients think they are; nothing is ever looked up or connected to."""


class Stream:
    """An answer on its way: iterate it, with `for` or `async for`, for its events. Closing it early cancels it.

    `stop` ends it early but whole: the events go on until `response.incomplete`.
    """

    def __init__(self, run: Run, loop: LoopThread) -> None:
        self.run = run

        async def work(put: Callable[[list[Event]], None]) -> None:
            async with aclosing(run.events()) as batches:
                async for batch in batches:
                    put(batch)

        self._crossing: Crossing[list[Event]] = Crossing(loop, work)

    @property
    def response(self) -> Response:
        """The response as it stands; final once the events have ended."""
        return self.run.response

    def __iter__(self) -> Iterator[Event]:
        try:
            while (batch := self.read()) is not None:
                yield from batch
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            while (batch := await self.aread()) is not None:
                for event in batch:
                    yield event
        finally:
            await self.aclose()

    def read(self, timeout: float | None = None) -> list[Event] | None:
        """Wait for the next events; None at the end. Raises `TimeoutError` after `timeout` seconds."""
        return self._crossing.get(timeout)

    async def aread(self) -> list[Event] | None:
        """Do what `read` does, from a running event loop. Cancelling it loses nothing."""
        return await self._crossing.aget()

    def stop(self) -> None:
        """Ask the answer to end now; what has come so far is kept."""
        self._crossing.call(self.run.stop)

    def close(self) -> None:
        """Cancel what still runs and wait until it is cleaned up."""
        self._crossing.close()

    async def aclose(self) -> None:
        """Do what `close` does, from a running event loop."""
        await self._crossing.aclose()


class Workbench:
    """Agents, endpoints, conversations and their ledger, in this process.

    `config` is the path of an `agentbench.yaml`, the same as a mapping, or None for what the environment offers. Data
    lies in `home` (default: `AGENTBENCH_HOME`, else the user's data folder), or in the database that `database_url`
    or `AGENTBENCH_DATABASE_URL` names. Use it as a context manager, or `close` it; it closes at exit by itself.
    """

    def __init__(
        self,
        config: str | Path | Mapping[str, Any] | None = None,
        *,
        home: Path | str | None = None,
        database_url: str | None = None,
    ) -> None:
        self.catalog = load(config, os.environ)
        self._database = Database(database_url, home=None if home is None else Path(home))
        self._providers = Providers()
        self._runner = Runner(self.catalog, self._providers, self._database)
        self._loop = LoopThread(at_end=self._providers.aclose)
        self._closed = False

    # -- asking -------------------------------------------------------------------------------------------------

    def ask(self, text: str | Sequence[Any], **options: Any) -> Response:
        """Return the whole answer; takes the options of `stream`.

        Raises `AnswerFailed`, which carries the response so far, if the answer breaks off.
        """
        stream = self.stream(text, **options)
        for _ in stream:
            pass
        if (error := stream.response.error) is not None:
            raise AnswerFailed(error.message, stream.response)
        return stream.response

    def stream(
        self,
        text: str | Sequence[Any],
        *,
        agent: str | None = None,
        model: str | None = None,
        conversation: str | Conversation | None = None,
        previous: Response | str | None = None,
        instructions: str | None = None,
        images: str | Sequence[str] = (),
        schema: Any = None,
        cell: Cell | None = None,
        **parameters: Any,
    ) -> Stream:
        """Start an answer and return its stream of events.

        `text` is a question, or items of a Responses request such as a function's output. `agent` is an agent's id
        (default: the first), `model` an `endpoint/model` that answers in place of the agent's. `conversation`
        continues a conversation, `previous` a response; without either the question stands alone. `images` are https
        or `data:` URLs. `schema` asks for JSON of that shape (a JSON schema, a pydantic model, a dataclass …).
        `parameters` are further fields of a request: `temperature`, `top_p`, `max_output_tokens`, `tools` …
        """
        if schema is not None:
            parameters["text"] = TextConfig(format=schema_format(schema))
        request = request_of(
            text,
            images=[images] if isinstance(images, str) else images,
            model=model,
            instructions=instructions,
            previous_response_id=previous if isinstance(previous, str | None) else previous.id,
            **parameters,
        )
        if agent is None and model not in self.catalog.agents:
            agent = self.catalog.default_agent.id
        conversation_id = conversation if isinstance(conversation, str | None) else conversation.id
        turn = Turn(request=request, agent=agent, conversation=conversation_id, cell=cell)
        return Stream(self._runner.start(turn), self._open_loop())

    # -- looking ------------------------------------------------------------------------------------------------

    def start_conversation(self, title: str | None = None, *, agent: str | None = None) -> Conversation:
        """Return a new, empty conversation."""
        known = None if agent is None else self.catalog.agent(agent).id
        return self._write(partial(conversations.create, user=KERNEL.user, title=title, agent=known))

    def conversations(self, limit: int = 20) -> list[Conversation]:
        """Return the newest conversations, newest first."""
        return self._database.read_now(partial(conversations.recent, user=KERNEL.user, limit=limit))

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation of that id, if there is one."""
        return self._database.read_now(partial(conversations.get, conversation_id=conversation_id, user=KERNEL.user))

    def turns(self, conversation: Conversation | str) -> tuple[StoredResponse, ...]:
        """Return a conversation's turns, oldest first; raises `UnknownName` if there is no such conversation."""
        head = self._found(conversation).head
        if head is None:
            return ()
        return self._database.read_now(partial(responses.chain, head=head, user=KERNEL.user))

    def rename(self, conversation: Conversation | str, title: str) -> None:
        """Give a conversation a title; raises `UnknownName` if there is no such conversation."""
        self._write(partial(conversations.rename, conversation_id=self._found(conversation).id, title=title))

    def usage(
        self, *, since: datetime | timedelta | str | None = None, by: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the ledger as a DataFrame, one row a call, or summed up `by` model, agent, endpoint, day and so on.

        `since` is a moment, a time span, or text such as `"24h"`, `"7d"`, `"today"`, `"2026-11-01"`.
        """
        from agentbench import frames

        columns = self._database.read_now(partial(usage.columns, since=frames.moment(since)))
        frame = frames.usage_frame(columns)
        return frame if by is None else frames.grouped(frame, by)

    def models(self, endpoint: str) -> tuple[str, ...]:
        """Return the models that an endpoint offers now, asking it if it knows more than the config."""
        found = self.catalog.endpoint(endpoint)
        provider = self._providers.of(found)
        return self._open_loop().portal.call(provider.models, found)

    # -- clients ------------------------------------------------------------------------------------------------

    @cached_property
    def app(self) -> ASGIApp:
        """The gateway as an ASGI application."""
        from agentbench.gateway.app import create_app

        return create_app(self._runner)

    def openai(self) -> openai_sdk.OpenAI:
        """Return the openai SDK's client, talking to the gateway in this process with no socket."""
        import httpx2
        import openai

        from agentbench.gateway.transports import InProcessTransport

        transport = InProcessTransport(self._open_loop(), lambda: self.app, KERNEL)
        client = httpx2.Client(transport=transport, base_url=IN_PROCESS_URL)
        return openai.OpenAI(base_url=IN_PROCESS_URL, api_key="in-process", http_client=client, max_retries=0)

    def async_openai(self) -> openai_sdk.AsyncOpenAI:
        """Return the asynchronous openai client, talking to the gateway in this process with no socket."""
        import httpx2
        import openai

        from agentbench.gateway.transports import AsyncInProcessTransport

        transport = AsyncInProcessTransport(self._open_loop(), lambda: self.app, KERNEL)
        client = httpx2.AsyncClient(transport=transport, base_url=IN_PROCESS_URL)
        return openai.AsyncOpenAI(base_url=IN_PROCESS_URL, api_key="in-process", http_client=client, max_retries=0)

    # -- lifetime -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End what still runs, close every connection, write what is unwritten. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._loop.stop()
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open_loop(self) -> LoopThread:
        if self._closed:
            raise InvalidRequest("This workbench is closed. Make a new one.")
        return self._loop

    def _found(self, conversation: Conversation | str) -> Conversation:
        key = conversation if isinstance(conversation, str) else conversation.id
        if (found := self.conversation(key)) is None:
            raise UnknownName("conversation", key, [each.id for each in self.conversations(100)])
        return found

    def _write(self, job: Callable[[Connection], T]) -> T:
        return self._open_loop().portal.call(self._database.write, job)
