"""Calls whose bytes go through as they are, to an upstream that speaks the caller's API; they are paid and counted.

Knows no API: what a piece says is read by the `Tally` of whoever relays.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from anyio import CancelScope

from agentbench.errors import AgentbenchError
from agentbench.protocol.items import assistant_message
from agentbench.runner.headers import with_headers
from agentbench.runner.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol.response import Usage
    from agentbench.providers.http import Relayed
    from agentbench.runner.runner import Runner
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn
    from agentbench.storage.usage import UsageStatus

    Send = Callable[[Endpoint, int | None], AbstractAsyncContextManager[Relayed]]

__all__ = ["Relay", "Tally"]

_OK = 200


class Tally(Protocol):
    """Reads along for the ledger."""

    @property
    def usage(self) -> Usage | None:
        """The tokens as the upstream counts them; None if it doesn't tell."""

    @property
    def text(self) -> str:
        """What the answer says."""

    @property
    def has_begun(self) -> bool:
        """Whether it says something yet."""

    @property
    def is_whole(self) -> bool:
        """Whether it has ended as answers end."""

    def feed(self, chunk: bytes, /) -> None:
        """Take the next bytes of an answer."""

    def close(self) -> None:
        """Take note that there are no more."""


class Relay:
    """One call that runs once: iterate `chunks()`.

    `turn` holds a request that stands for the real one, to reckon with. `send` sends the real one to an endpoint; its
    number is how long the answer may be, where the balance is too small for a long one. However it ends, the upstream
    is closed and the ledger has a row.
    """

    def __init__(self, runner: Runner, turn: Turn, target: Target, *, send: Send, tally: Tally) -> None:
        self.status = 0
        self.content_type = ""
        purse = runner.purse if runner.catalog.balance.enabled else None
        self._ledger = Ledger(turn, target, runner.database, purse=purse, keeps_rows=runner.catalog.keeps_ledger)
        self._database = runner.database
        self._turn, self._target = turn, target
        self._send, self._tally = send, tally
        self._error: str | None = None

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the answer's bytes as they come.

        The first piece is empty: `status` and `content_type` are known from then on. Raises `BudgetExceeded`,
        `InsufficientBalance` and `UpstreamError`.
        """
        try:
            async with aclosing(self._passed()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except AgentbenchError as error:
            self._error = error.code
            raise
        finally:
            with CancelScope(shield=True):
                await self._record()

    async def _passed(self) -> AsyncGenerator[bytes]:
        call, request = self._ledger.call, self._turn.request
        limit = await self._ledger.pay(request)
        endpoint = await with_headers(self._target.endpoint, self._turn.principal, self._database)
        async with self._send(endpoint, limit) as answer:
            self.status, self.content_type = answer.status, answer.content_type
            if answer.status == _OK:
                call.request = request
            else:
                self._error = "upstream_error"
            yield b""
            async for chunk in answer.chunks:
                if self._error is None:
                    self._tally.feed(chunk)
                    if self._tally.has_begun:
                        call.note_first()
                yield chunk
        if self._error is None:
            self._tally.close()

    async def _record(self) -> None:
        call, tally = self._ledger.call, self._tally
        call.told, call.is_whole = tally.usage, tally.is_whole
        status: UsageStatus = "completed" if tally.is_whole else "incomplete"
        made = (assistant_message(tally.text),) if tally.text else ()
        outcome = await self._ledger.close(made, status="failed" if self._error else status, error_type=self._error)
        await self._ledger.record(outcome)
