"""The library: files and collections, who may use them, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.retrieval.collecting import Linked
from agentbench.retrieval.searching import Searching
from agentbench.retrieval.sharing import find_collection
from agentbench.storage import collections

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.grants import Reader

__all__ = ["Library", "Linked"]


class Library(Searching):
    """The files and collections of one database. All calls belong on one event loop; `aclose` ends what runs there.

    `embedder` gives the one that embeds for a user from now on, and `settings` those that hold then. Every call raises
    `UnknownName` for what the reader may not read, as for what isn't there.
    """

    async def unfinished(self, reader: Reader, collection_id: str) -> list[str]:
        """Return the files of a collection that are pending or processing, and the reader's own that will join it."""

        def job(connection: Connection) -> list[str]:
            found = find_collection(connection, collection_id, reader)
            return collections.unfinished(connection, found.id, reader.user)

        return await self._database.read(job)
