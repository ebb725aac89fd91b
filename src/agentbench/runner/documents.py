"""What a turn may look into, and what was found there: documents, passages, and the step that shows the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agentbench.protocol.items import FunctionCall, FunctionCallOutput
from agentbench.protocol.values import Value
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.auth.principal import Principal
    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.protocol import InputItem

__all__ = [
    "FILE_SEARCH",
    "SEARCH_ID",
    "Document",
    "Passage",
    "Source",
    "is_search",
    "reader_for",
    "reader_of",
    "without_searches",
]

FILE_SEARCH = "file_search"
"""The name of the step that looks into them: a function call and its output among the answer's items."""

SEARCH_ID = "fs"
"""What the `call_id` of that step begins with; tools of other people may have its name, but not such ids."""


class Document(Value, frozen=True, kw_only=True):
    """Something to look into: a `file` or `collection` by id, a `text` by its `content`, a web page by its `url`.

    `whole` puts all of it in, not the passages that fit the question. `given` is the item as the client wrote it.
    `owner` is the user whose right to read it counts instead of the caller's, as an assistant's author; no client says
    that, only what knows that the caller may ask so. `top_k` passages of it are found at most, each at least as similar
    to a query as `threshold`; None: as the settings say, whose threshold holds for what vectors find.
    """

    kind: Literal["file", "collection", "text", "url"]
    id: str = ""
    name: str | None = None
    content: str = ""
    url: str = ""
    whole: bool = False
    given: dict[str, Any] = {}
    owner: str | None = None
    top_k: int | None = None
    threshold: float | None = None


class Passage(Value, frozen=True, kw_only=True):
    """A passage that goes to the model, which cites it as `[n]`; `document` is its place among the turn's documents.

    `start` and `end` are offsets in the text of the `file`, None where there is no stored file. The rest is as in a
    `Hit`; a text that goes in as a whole has the score 1.
    """

    n: int
    document: int
    file: str | None
    name: str
    page: int | None = None
    heading: str | None = None
    start: int
    end: int
    url: str | None = None
    score: float = 1.0
    similarity: float | None = None
    vector_rank: int | None = None
    text_rank: int | None = None
    text: str


class Source(Value, frozen=True, kw_only=True):
    """One of the turn's documents, and the passages that came from it."""

    document: Document
    passages: tuple[Passage, ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        """The item as the client wrote it."""
        return self.document.given


def reader_for(owner: str | None, reader: Reader) -> Reader:
    """Return whose right to read a document of that `owner` counts, if `reader` asks."""
    return reader if owner is None else Reader(owner)


def reader_of(principal: Principal, settings: RetrievalSettings) -> Reader:
    """Return whose files and collections a caller means; at the kernel one's own are meant, not everybody's."""
    sees_all = principal.remote and principal.is_administrator and settings.administrators_see_all
    return Reader(principal.user, sees_all=sees_all)


def without_searches(items: Iterable[InputItem]) -> tuple[InputItem, ...]:
    """Return the items without searches of ours: models know no such tool, and many refuse calls of unknown ones."""
    kept = tuple(items)
    ours = {item.call_id for item in kept if isinstance(item, FunctionCall) and is_search(item)}
    if not ours:
        return kept
    steps = FunctionCall | FunctionCallOutput
    return tuple(item for item in kept if not (isinstance(item, steps) and item.call_id in ours))


def is_search(call: FunctionCall) -> bool:
    """Tell whether a call is a search of ours, not of a client's tool that has the same name."""
    return call.name == FILE_SEARCH and call.call_id.startswith(f"{SEARCH_ID}_")
