"""The part of the assistants that runs nothing, and what is asked of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from tests.runner.assistants.settled import ANN
from tests.storage.asked import some_run

from agentbench.protocol.assistants.requests import CreateAssistant, CreateMessage, CreateThread
from agentbench.runner.assistants.talking import Talking
from agentbench.storage import runs

if TYPE_CHECKING:
    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Assistant, Thread

__all__ = ["Desk"]


class Desk(Talking):
    """Keeps and talks; `settled` are the threads whose runs were looked at, `lost` a run that is then over."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.settled: list[str] = []
        self.lost = False

    async def settle(self, thread_id: str) -> None:
        """Let the active run expire if it is lost."""
        self.settled.append(thread_id)
        stored = await self._database.read(partial(runs.active, thread_id=thread_id))
        if self.lost and stored is not None:
            expired = replace(stored, run=replace(stored.run, status="expired"))
            await self._database.write(partial(runs.save, stored=expired))

    async def made(self, principal: Principal = ANN, **values: Any) -> Assistant:
        """Make an assistant."""
        return await self.create(principal, CreateAssistant(**{"model": "bot"} | values))

    async def opened(self, *texts: str, **values: Any) -> Thread:
        """Make a thread of Ann's in which something was said."""
        said = tuple(CreateMessage(role="user", content=each) for each in texts)
        return await self.create_thread(ANN, CreateThread(messages=said, **values))

    async def begin(self, thread_id: str) -> None:
        """Let a run be active."""
        await self._database.write(partial(runs.add, stored=some_run(thread=thread_id)))
