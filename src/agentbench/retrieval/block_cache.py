"""The blocks of scopes that were searched lately, shared by all threads, up to so many bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from agentbench.retrieval.blocks import Block, load
from agentbench.storage import searchable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.searchable import Scope

__all__ = ["BlockCache"]


class _Entry(NamedTuple):
    versions: tuple[tuple[str, int], ...]
    block: Block


class BlockCache:
    """Keeps blocks until they are out of date, or others were used since and there is no room."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._lock = Lock()
        self._entries: OrderedDict[Scope, _Entry] = OrderedDict()
        self._loading: dict[Scope, Lock] = {}

    @property
    def nbytes(self) -> int:
        """How much memory the blocks take."""
        with self._lock:
            return sum(entry.block.nbytes for entry in self._entries.values())

    def get(self, connection: Connection, scope: Scope) -> Block:
        """Return the block of a scope as the connection's transaction sees it; one thread loads it, others wait."""
        versions = searchable.versions(connection, scope)
        entry = self._entry(scope)
        if entry is not None and entry.versions == versions:
            return entry.block
        with self._loading_lock(scope):
            entry = self._entry(scope)
            if entry is None or entry.versions != versions:
                entry = _Entry(versions, load(connection, scope, entry and entry.block))
                self._keep(scope, entry)
        return entry.block

    def _entry(self, scope: Scope) -> _Entry | None:
        with self._lock:
            if scope in self._entries:
                self._entries.move_to_end(scope)
            return self._entries.get(scope)

    def _loading_lock(self, scope: Scope) -> Lock:
        with self._lock:
            return self._loading.setdefault(scope, Lock())

    def _keep(self, scope: Scope, entry: _Entry) -> None:
        with self._lock:
            self._entries[scope] = entry
            self._entries.move_to_end(scope)
            total = sum(each.block.nbytes for each in self._entries.values())
            while total > self._largest and len(self._entries) > 1:
                gone, left = self._entries.popitem(last=False)
                self._loading.pop(gone, None)
                total -= left.block.nbytes
