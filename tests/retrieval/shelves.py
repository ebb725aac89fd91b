"""What tests of the library need: an embedder without a model, and libraries that are closed."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from agentbench.config.retrieval import RetrievalSettings
from agentbench.retrieval.library import Library
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from numpy.typing import NDArray

    from agentbench.retrieval.values import TextKind
    from agentbench.storage.database import Database
    from agentbench.storage.files import StoredFile

ANN, BOB, ADMIN = Reader("ann"), Reader("bob"), Reader("root", sees_all=True)
SETTINGS = RetrievalSettings(passage_size=100, passage_overlap=0, smallest_passage=20, batch_size=2, concurrency=2)


class WordEmbedder:
    """Embeds a text as the set of its words. `passages` are the texts it embedded, `errors` what it raises first."""

    def __init__(self, name: str = "fake/words", *, dimensions: int = 64, delay: float = 0) -> None:
        self.name = name
        self.dimensions = dimensions
        self.delay = delay
        self.passages: list[str] = []
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def embed(self, texts: Sequence[str], kind: TextKind) -> NDArray[np.float32]:
        """Return a row a text, once the gate is open."""
        await asyncio.sleep(self.delay)
        if kind == "passage":
            await self.gate.wait()
            if self.errors:
                raise self.errors.pop(0)
            self.passages += texts
        return np.stack([self._vector(each) for each in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.dimensions, 0.01, np.float32)
        for word in text.casefold().split():
            vector[zlib.crc32(word.strip(".,?#").encode()) % self.dimensions] += 1
        return vector / np.linalg.norm(vector)


@asynccontextmanager
async def opened(
    database: Database, embedder: WordEmbedder | None = None, *, lease: float = 15, **settings: object
) -> AsyncIterator[Library]:
    """Give a library, and close it."""
    chosen, used = replace(SETTINGS, **settings), embedder or WordEmbedder()
    library = Library(database, embedder=lambda _: used, settings=lambda: chosen)
    library._processing.lease = lease
    try:
        yield library
    finally:
        await library.aclose()


async def completed(library: Library, name: str, text: str, *, reader: Reader = ANN) -> StoredFile:
    """Add a file and wait until it is completed."""
    added = await library.add(reader, name, text.encode())
    [file] = await library.wait(reader, [added.id], within=10)
    assert (file.status, file.error) == ("completed", None)
    return file


def story(topic: str, paragraphs: int) -> str:
    """Return a text of so many passages."""
    return "\n\n".join(f"{topic} number {each} has a paragraph {'word ' * 12}end{each}." for each in range(paragraphs))
