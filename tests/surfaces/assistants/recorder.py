"""The gateway in front of assistants that only note what they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
from tests.runner.fakes import FakeProvider, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.gateway.app import create_app
from agentbench.gateway.identity import PRINCIPAL
from agentbench.protocol.assistants.objects import Run

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from agentbench.protocol.assistants.events import AssistantEvent
    from agentbench.storage.database import Database

__all__ = ["Recorder", "recording"]

RUN = Run(id="run_1", created_at=1, thread_id="thread_1", assistant_id="asst_1")


class Recorder:
    """Answers every call with one run; `asked` holds the last one's name, arguments and options.

    What is `told` of the run are batches of events, and an error that ends them.
    """

    def __init__(self) -> None:
        self.asked: tuple[str, tuple[Any, ...], dict[str, Any]] = ("", (), {})
        self.told: list[list[AssistantEvent] | Exception] = []
        self.closed = False

    @property
    def body(self) -> Any:
        """The value that the last call got after the principal and the ids."""
        return self.asked[1][-1]

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Run]]:
        async def note(*arguments: Any, **options: Any) -> Run:
            self.asked = (name, arguments, options)
            return RUN

        return note

    async def follow(self, run_id: str) -> AsyncGenerator[list[AssistantEvent]]:
        """Yield what is told."""
        assert run_id == RUN.id
        try:
            for each in self.told:
                if isinstance(each, Exception):
                    raise each
                yield each
        finally:
            self.closed = True


def recording(recorder: Recorder, database: Database) -> httpx2.AsyncClient:
    """Return the kernel's client of a gateway in front of a recorder."""
    runner: Any = runner_of(FakeProvider(), database)
    runner.assistants = recorder
    app = create_app(runner)

    async def as_kernel(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, PRINCIPAL: KERNEL}, receive, send)

    base = "http://127.0.0.1/api/assistants/v2/"
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(as_kernel), base_url=base)
