"""A scope's passages in memory: all vectors as one matrix, all terms as one sorted array.

A block never changes; of one that is out of date, what still holds is taken over into the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentbench.errors import InvalidRequest
from agentbench.storage import searchable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from agentbench.storage.searchable import IndexRow, Scope, SearchableFile

__all__ = ["Block", "Building", "load"]

HASH_BITS = np.uint64(32)
COUNT_BITS = np.uint64(8)
COUNT_MASK = np.uint64(0xFF)
ROW_MASK = np.uint64(0xFFFFFF)
BELOW_HASH = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Passages by their row: ordered by their file's id, then by their number.

    `starts` has the first row of each file, and the number of rows at the end. A posting is
    `hash << 32 | row << 8 | count`; `lengths` are in terms.
    """

    files: tuple[SearchableFile, ...]
    starts: NDArray[np.int64]
    text_hashes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    matrix: NDArray[np.float32]
    embedded: NDArray[np.bool_]
    postings: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.text_hashes)

    @property
    def nbytes(self) -> int:
        """How much memory the arrays take."""
        arrays = (self.starts, self.text_hashes, self.lengths, self.matrix, self.embedded, self.postings)
        return sum(each.nbytes for each in arrays)

    def place(self, row: int) -> tuple[str, int]:
        """Return the file of a row, and the passage's number in it."""
        file = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.files[file].id, row - int(self.starts[file])

    def rows_of(self, file_ids: set[str]) -> NDArray[np.bool_]:
        """Mark the rows of these files."""
        return np.repeat([each.id in file_ids for each in self.files], np.diff(self.starts))

    def find(self, term: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows that have a term, by its hash, and how often they have it."""
        first = np.uint64(term) << HASH_BITS
        begin, end = np.searchsorted(self.postings, [first, first | BELOW_HASH])
        found = self.postings[begin:end]
        return (found >> COUNT_BITS & ROW_MASK).astype(np.int64), (found & COUNT_MASK).astype(np.int64)


def load(connection: Connection, scope: Scope, before: Block | None = None) -> Block:
    """Read a scope's passages, but take those of unchanged files from the block before."""
    files = searchable.files(connection, scope)
    building = Building(files)
    kept = building.take_over(before) if before is not None else set()
    for rows in searchable.rows(connection, [each.id for each in files if each not in kept]):
        building.add(rows)
    return building.block()


class Building:
    """A block while its rows come in."""

    def __init__(self, files: Sequence[SearchableFile]) -> None:
        self.files = tuple(files)
        self.starts = np.concatenate([[0], np.cumsum([each.passages for each in files], dtype=np.int64)])
        self.first_row = dict(zip((each.id for each in files), self.starts.tolist(), strict=False))
        total, dimensions = int(self.starts[-1]), _dimensions(files)
        self.text_hashes = np.zeros(total, np.int64)
        self.lengths = np.zeros(total, np.int64)
        self.matrix = np.zeros((total, dimensions), np.float32)
        self.embedded = np.zeros(total, np.bool_)
        self.postings: list[NDArray[np.uint64]] = []

    def take_over(self, before: Block) -> set[SearchableFile]:
        """Copy the rows of files that are as they were; returns those files."""
        if before.matrix.shape[1] != self.matrix.shape[1]:
            return set()
        kept = set(self.files) & set(before.files)
        moved = np.full(len(before), -1, np.int64)
        for file, first, last in zip(before.files, before.starts, before.starts[1:], strict=False):
            if file in kept:
                moved[first:last] = np.arange(last - first) + self.first_row[file.id]
        old = np.flatnonzero(moved >= 0)
        for name in ("text_hashes", "lengths", "matrix", "embedded"):
            getattr(self, name)[moved[old]] = getattr(before, name)[old]
        rows = moved[(before.postings >> COUNT_BITS & ROW_MASK).astype(np.int64)]
        stays = rows >= 0
        rest = before.postings[stays] & ~(ROW_MASK << COUNT_BITS)
        self.postings.append(rest | rows[stays].astype(np.uint64) << COUNT_BITS)
        return kept

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Put in what the database says of passages."""
        at = np.array([self.first_row[row.file] + row.number for row in rows], np.int64)
        self.text_hashes[at] = [row.text_hash for row in rows]
        self._add_vectors(at, [row.embedding for row in rows])
        terms = np.frombuffer(b"".join(row.terms for row in rows), "<u8").astype(np.uint64)
        counts = terms & BELOW_HASH
        owners = np.repeat(np.arange(len(rows)), [len(row.terms) // 8 for row in rows])
        self.lengths[at] = np.bincount(owners, counts, len(rows)).astype(np.int64)
        self.postings.append(terms & ~BELOW_HASH | at[owners].astype(np.uint64) << COUNT_BITS | counts)

    def _add_vectors(self, at: NDArray[np.int64], vectors: Sequence[bytes | None]) -> None:
        has = np.array([each is not None for each in vectors])
        data = b"".join(each for each in vectors if each is not None)
        if data:
            self.matrix[at[has]] = np.frombuffer(data, "<f4").reshape(-1, self.matrix.shape[1])
            self.embedded[at] = has

    def block(self) -> Block:
        """Return what has come in."""
        postings = np.concatenate([np.zeros(0, np.uint64), *self.postings])
        postings.sort()
        return Block(
            files=self.files,
            starts=self.starts,
            text_hashes=self.text_hashes,
            lengths=self.lengths,
            matrix=self.matrix,
            embedded=self.embedded,
            postings=postings,
        )


def _dimensions(files: Sequence[SearchableFile]) -> int:
    found = {each.dimensions for each in files if each.dimensions is not None}
    if len(found) > 1:
        raise InvalidRequest(
            "These files have vectors of different embedders. Run %agent know reindex NAME for their collections."
        )
    return found.pop() if found else 0
