"""What every part of the assistants works with: the settings that hold now, the database and the library."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    import asyncio

    from agentbench.config.assistants import AssistantSettings
    from agentbench.retrieval.library import Library
    from agentbench.runner.runner import Runner
    from agentbench.storage.database import Database

__all__ = ["Desk"]


class Desk:
    """The base of the parts of `Assistants`; all calls belong on the runner's event loop."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def settings(self) -> AssistantSettings:
        """The settings of the assistants that live here, as they are now."""
        return self._runner.catalog.assistants

    @property
    def _database(self) -> Database:
        return self._runner.database

    @property
    def _library(self) -> Library:
        return self._runner.library
