"""The workbench: the one place that builds every part and owns its lifetime."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentbench.auth.principal import KERNEL
from agentbench.config.config import Config
from agentbench.errors import AnswerFailed, InvalidRequest, UnknownName
from agentbench.gateway.crossing import LoopThread
from agentbench.gateway.stream import Stream
from agentbench.providers import Providers
from agentbench.runner import Cell, Runner, Turn
from agentbench.runner.budget import Budget
from agentbench.runner.headers import at_kernel
from agentbench.runner.question import turn_of
from agentbench.runner.tools import as_tool
from agentbench.runner.wishes import Wishes
from agentbench.storage import conversations, responses
from agentbench.storage.database import Database
from agentbench.storage.unsaved import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self, Unpack

    import anthropic as anthropic_sdk
    import openai as openai_sdk
    from sqlalchemy import Connection
    from starlette.types import ASGIApp

    from agentbench.auth.accounts import NewKey
    from agentbench.config.endpoint import Catalog
    from agentbench.config.rates import Rates
    from agentbench.frames.ledger import Chosen
    from agentbench.frames.usage import UsageFrame
    from agentbench.gateway.serve import LoopServer, ServedApp
    from agentbench.protocol import Response
    from agentbench.protocol.items import FunctionCall
    from agentbench.runner.budget import Budgets
    from agentbench.runner.quote import Quote
    from agentbench.runner.tools import Tool
    from agentbench.storage.balances import Standing
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.keys import ApiKey
    from agentbench.storage.responses import StoredResponse

T = TypeVar("T")

__all__ = ["Stream", "Workbench", "served_app"]


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
        self.config = Config(config, os.environ, changed=self._use)
        self._database = Database(database_url, home=None if home is None else Path(home))
        self._providers = Providers()
        self._runner = Runner(self.config.catalog, self._providers, self._database)
        self._loop = LoopThread(at_end=self._runner.aclose)
        self._closed = False
        self.server: LoopServer | None = None

    @property
    def catalog(self) -> Catalog:
        """The endpoints and agents that there are now; `config` changes them."""
        return self._runner.catalog

    # -- asking -------------------------------------------------------------------------------------------------

    def ask(self, text: str | Sequence[Any], **options: Any) -> Response:
        """Return the whole answer; takes the options of `stream`.

        Raises `AnswerFailed`, which carries the response so far, if the answer breaks off.
        """
        stream = self.stream(text, **{"watching": False, **options})
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
        functions: Sequence[Tool | Callable[..., Any]] = (),
        approve: Callable[[FunctionCall], bool] | None = None,
        watching: bool = True,
        **parameters: Any,
    ) -> Stream:
        """Start an answer and return its stream of events.

        `text` is a question, or items of a Responses request. `agent` is an agent's id (default: the first), `model`
        an `endpoint/model` that answers in place of the agent's. `conversation` continues a conversation, `previous`
        a response; without either the question stands alone. `images` are https or `data:` URLs. `schema` asks for
        JSON of that shape (a JSON schema, a pydantic model, a dataclass …). `functions` run here when the model calls
        them, besides the agent's own tools; `approve` is asked, on the reading thread, before a tool that wants it.
        What nobody is `watching` isn't paced. `parameters` are fields of a request: `temperature`, `top_p`, `tools` …
        """
        turn = turn_of(
            self.catalog,
            text,
            agent=agent,
            model=model,
            conversation=conversation,
            previous=previous,
            instructions=instructions,
            images=images,
            schema=schema,
            cell=cell,
            **parameters,
        )
        return self._start(turn, functions, approve, watching=watching)

    def quote(
        self, text: str | Sequence[Any], *, functions: Sequence[Tool | Callable[..., Any]] = (), **options: Any
    ) -> tuple[Quote, ...]:
        """Return what a question would cost on each model that is known, the cheapest first; no model is asked.

        Takes the options of `stream`. Tokens are estimated; what the agent's MCP servers offer is looked up.
        """
        from agentbench.runner.quote import quotes

        asked = {name: value for name, value in options.items() if name not in ("approve", "watching")}
        run = self._runner.start(turn_of(self.catalog, text, **asked), tools=map(as_tool, functions))
        return self._open_loop().portal.call(quotes, self._runner, run)

    def budget(self, usd: float | None = None, *, tokens: int | None = None) -> AbstractContextManager[Budget]:
        """Limit what the calls within a `with` block may cost, in US dollars, in tokens or in both.

        A call whose worst case would pass the limit raises `BudgetExceeded`, and nothing is sent. Calls of threads
        count against every block that is open, as a thread doesn't know in which it was started; in a tool, a task or
        an in-process client a call counts where it is made. Callers over HTTP don't count.
        """
        return self.budgets.block(Budget(usd, tokens))

    @property
    def budgets(self) -> Budgets:
        """The limits that hold now; `standing` is the one that no block ends."""
        return self._runner.budgets

    def add_tool(self, *tools: Tool | Callable[..., Any]) -> None:
        """Let agents name these tools or plain functions; a later one of the same name replaces the earlier."""
        self._runner.toolbox.add(*tools)

    # -- looking ------------------------------------------------------------------------------------------------

    def start_conversation(self, title: str | None = None, *, agent: str | None = None) -> Conversation:
        """Return a new, empty conversation; without a title its first question gives it one."""
        known = None if agent is None else self.catalog.agent(agent).id
        made = conversations.new(user=KERNEL.user, title=title, agent=known)
        self._open_loop().portal.call(self._database.record, Outcome(conversation=made))
        return made

    def conversations(self, limit: int = 20) -> list[Conversation]:
        """Return the newest conversations, newest first."""
        return self._database.read_now(partial(conversations.recent, user=KERNEL.user, limit=limit))

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation of that id, if there is one."""
        kept = self._database.unsaved.conversation(conversation_id, KERNEL.user)
        job = partial(conversations.get, conversation_id=conversation_id, user=KERNEL.user)
        return kept or self._database.read_now(job)

    def turns(self, conversation: Conversation | str) -> tuple[StoredResponse, ...]:
        """Return a conversation's turns, oldest first; raises `UnknownName` if there is no such conversation."""
        head = self._found(conversation).head
        if head is None:
            return ()
        return self._database.read_now(partial(responses.chain, head=head, user=KERNEL.user))

    def rename(self, conversation: Conversation | str, title: str) -> None:
        """Give a conversation a title, for good; raises `UnknownName` if there is no such conversation."""
        self._write(partial(conversations.rename, conversation_id=self._found(conversation).id, title=title))

    def usage(self, *, by: str | Sequence[str] | None = None, **chosen: Unpack[Chosen]) -> UsageFrame:
        """Return the ledger as a DataFrame, one row a call, or summed up `by` model, agent, endpoint, day and so on.

        `since` and `until` (not included) are moments, time spans, or text such as `"24h"`, `"today"`, `"2026-11-01"`.
        `user`, `agent`, `endpoint`, `model`, `context`, `conversation`, `notebook`, `status` choose rows.
        """
        from agentbench import frames

        frame = frames.read_usage(self._database, **chosen)
        return frame if by is None else frames.grouped(frame, by)

    def balance(self) -> Standing | None:
        """Return how the balance of the person at this kernel stands; None if the config asks for no balances."""
        return self._open_loop().portal.call(self._runner.purse.standing, KERNEL.user)

    def prices(self, model: str | None = None) -> Mapping[str, Rates | None]:
        """Return what models cost by `endpoint/model`, None where nobody knows: all that are known, or those named."""
        from agentbench.runner.quote import prices

        return self._open_loop().portal.call(prices, self._runner, model)

    def models(self, endpoint: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Return the models that an endpoint offers, asking it if it knows more than the config.

        What it said is remembered for five minutes; `fresh` asks again.
        """
        job = partial(self._providers.models, at_kernel(self.catalog.endpoint(endpoint)), fresh=fresh)
        return self._open_loop().portal.call(job)

    def known_models(self, endpoint: str) -> tuple[str, ...]:
        """Return the models of an endpoint that are known without asking it."""
        return self._providers.known_models(at_kernel(self.catalog.endpoint(endpoint)))

    # -- clients ------------------------------------------------------------------------------------------------

    @cached_property
    def app(self) -> ASGIApp:
        """The gateway as an ASGI application."""
        from agentbench.gateway.app import create_app

        return create_app(self._runner)

    def transport(self) -> Any:
        """Return a transport for any `httpx2.Client` or `httpx.Client`: it reaches the gateway with no socket.

        The host in an address means nothing; the path begins with `/api/agents/v1`.
        """
        from agentbench.gateway.transports import InProcessTransport

        return InProcessTransport(self._open_loop(), lambda: self.app, KERNEL)

    def async_transport(self) -> Any:
        """Return the transport for an `httpx2.AsyncClient` or `httpx.AsyncClient`."""
        from agentbench.gateway.transports import AsyncInProcessTransport

        return AsyncInProcessTransport(self._open_loop(), lambda: self.app, KERNEL)

    def openai(self) -> openai_sdk.OpenAI:
        """Return the openai SDK's client, talking to the gateway in this process with no socket."""
        from agentbench.gateway import clients

        return clients.openai(self.transport())

    def async_openai(self) -> openai_sdk.AsyncOpenAI:
        """Return the asynchronous openai client, talking to the gateway in this process with no socket."""
        from agentbench.gateway import clients

        return clients.async_openai(self.async_transport())

    def anthropic(self) -> anthropic_sdk.Anthropic:
        """Return the anthropic SDK's client, talking to the gateway in this process; needs the extra `anthropic`."""
        from agentbench.gateway import clients

        return clients.anthropic(self.transport())

    def async_anthropic(self) -> anthropic_sdk.AsyncAnthropic:
        """Return the asynchronous anthropic client, talking to the gateway in this process."""
        from agentbench.gateway import clients

        return clients.async_anthropic(self.async_transport())

    def serve(self, *, host: str = "127.0.0.1", port: int = 8017) -> LoopServer:
        """Listen on a port, 0 for any free one, and answer callers over HTTP until `server.stop()` or `close`.

        Whoever comes that way needs a key. Raises `InvalidRequest` if the port is taken, or if it serves already.
        """
        from agentbench.gateway.serve import LoopServer

        if self.server is not None and self.server.is_running:
            raise InvalidRequest(f"This workbench is served already, at {self.server.url}. Stop that first.")
        self.server = LoopServer(self._open_loop(), self.app, self._runner, host=host, port=port)
        return self.server

    # -- keys ---------------------------------------------------------------------------------------------------

    def create_key(
        self,
        name: str,
        *,
        expires: str | None = None,
        agents: Sequence[str] | None = None,
        requests_per_minute: int | None = None,
    ) -> NewKey:
        """Make an API key that acts for the person at this kernel; its `secret` is shown to nobody again.

        `expires` is a time span or a date (`30d`, `2027-01-31`); `agents` are the ids that it may use (default: all).
        """
        from agentbench.auth.accounts import Accounts
        from agentbench.auth.commands import moment

        known = None if agents is None else [self.catalog.agent(each).id for each in agents]
        job = partial(
            Accounts(self._database).create_key,
            KERNEL.user,
            name=name,
            expires_at=None if expires is None else moment(expires, datetime.now(UTC)),
            agents=known,
            requests_per_minute=requests_per_minute,
        )
        return self._open_loop().portal.call(job)

    def keys(self) -> list[ApiKey]:
        """Return the API keys of the person at this kernel, newest first, without their secrets."""
        from agentbench.auth.accounts import Accounts

        return self._open_loop().portal.call(Accounts(self._database).keys, KERNEL.user)

    def revoke_key(self, key_id: str) -> None:
        """Take back a key of the person at this kernel; raises `UnknownName` if there is none of that id."""
        from agentbench.auth.accounts import Accounts

        self._open_loop().portal.call(partial(Accounts(self._database).revoke_key, key_id, user=KERNEL.user))

    # -- lifetime -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End what still runs, close every connection, write what is unwritten. A second call does nothing."""
        if not self._closed:
            self._closed = True
            if self.server is not None:
                self.server.stop()
            self._loop.stop()
            self._database.close()

    async def _aclose(self) -> None:
        """Do what `close` does where the app ran on this event loop, not on the workbench's own."""
        await self._runner.aclose()
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _start(
        self,
        turn: Turn,
        functions: Sequence[Tool | Callable[..., Any]],
        ask: Callable[[FunctionCall], bool] | None,
        *,
        watching: bool,
    ) -> Stream:
        wishes = None if ask is None else Wishes(ask)
        approve = None if wishes is None else wishes.approve
        run = self._runner.start(turn, tools=map(as_tool, functions), approve=approve)
        return Stream(run, self._open_loop(), wishes, watching=watching)

    def _use(self, catalog: Catalog) -> None:
        self._runner.use(catalog)

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


def served_app() -> ServedApp:
    """Return the gateway of a new workbench for a server process, which closes it at the end of its lifespan."""
    from agentbench.gateway.serve import ServedApp

    bench = Workbench()
    return ServedApp(bench.app, bench._runner, bench._aclose)  # noqa: SLF001 - the same module
