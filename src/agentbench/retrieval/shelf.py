"""What every side of the library stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.retrieval.processing import Processing
from agentbench.retrieval.watching import Changes

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.values import Embedder
    from agentbench.storage.database import Database

__all__ = ["Shelf"]


class Shelf:
    """What every side of a library stands on; each builds on it in a file of its own."""

    def __init__(
        self,
        database: Database,
        *,
        embedder: Callable[[str], Embedder],
        settings: Callable[[], RetrievalSettings],
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._settings = settings
        self._changes = Changes()
        self._processing = Processing(database, self._changes, embedder=embedder, settings=settings)

    def resume(self) -> None:
        """Pick up, now and from time to time, what ended processes left half-done; call it on the event loop.

        Whatever has files processed, or waits for them, does so too.
        """
        self._processing.wake()

    async def aclose(self) -> None:
        """Stop processing, and leave what is half-done to whoever resumes it."""
        await self._processing.aclose()
