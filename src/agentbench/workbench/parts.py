"""The parts of a workbench, how they hang together, and their lifetime."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentbench.config.config import Config
from agentbench.errors import InvalidRequest
from agentbench.gateway.crossing import LoopThread
from agentbench.providers import Providers
from agentbench.runner import Runner
from agentbench.storage.database import Database
from agentbench.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from sqlalchemy import Connection

    from agentbench.config.endpoint import Catalog
    from agentbench.gateway.serve import LoopServer

T = TypeVar("T")

__all__ = ["Parts"]


class Parts:
    """What every side of a workbench stands on; each builds on it in a file of its own."""

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
        self._telemetry = Telemetry(os.environ)
        self._runner = Runner(self.config.catalog, self._providers, self._database, telemetry=self._telemetry)
        self._loop = LoopThread(at_end=self._runner.aclose)
        self._closed = False
        self.server: LoopServer | None = None

    @property
    def catalog(self) -> Catalog:
        """The endpoints and agents that there are now; `config` changes them."""
        return self._runner.catalog

    def close(self) -> None:
        """End what still runs, close every connection, write what is unwritten. A second call does nothing."""
        if not self._closed:
            self._closed = True
            if self.server is not None:
                self.server.stop()
            self._loop.stop()
            self._database.close()
            self._telemetry.close()

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

    def _use(self, catalog: Catalog) -> None:
        self._runner.use(catalog)

    def _open_loop(self) -> LoopThread:
        if self._closed:
            raise InvalidRequest("This workbench is closed. Make a new one.")
        return self._loop

    def _write(self, job: Callable[[Connection], T]) -> T:
        return self._open_loop().portal.call(self._database.write, job)
