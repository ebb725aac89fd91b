"""What a turn may look into: files, collections, texts and web pages that its caller names."""

from __future__ import annotations

from typing import Any, Literal

from agentbench.protocol.values import Value

__all__ = ["FILE_SEARCH", "Document"]

FILE_SEARCH = "file_search"
"""The name of the step that looks into them: a function call and its output among the answer's items."""


class Document(Value, frozen=True, kw_only=True):
    """Something to look into: a `file` or `collection` by id, a `text` by its `content`, a web page by its `url`.

    `whole` puts all of it in, not the passages that fit the question. `given` is the item as the client wrote it.
    """

    kind: Literal["file", "collection", "text", "url"]
    id: str = ""
    name: str | None = None
    content: str = ""
    url: str = ""
    whole: bool = False
    given: dict[str, Any] = {}
