"""Searches of documents as answers show them, made by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from agentbench.protocol.content import OutputText, UrlCitation
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.runner.citations import label, link
from agentbench.runner.documents import Passage

__all__ = ["answer", "passage", "search"]


def passage(n: int = 1, **values: Any) -> Passage:
    """Return a passage of a PDF."""
    settings: dict[str, Any] = {"document": 0, "file": "file_1", "name": "a.pdf", "page": 3, "heading": "Birds > Speed"}
    settings |= {"start": 0, "end": 9, "score": 0.0325, "text": "It dives."}
    return Passage(n=n, **settings | values)


def search(*passages: Passage, searched: int = 1234, name: str = "papers") -> tuple[FunctionCall, FunctionCallOutput]:
    """Return a search and what it found."""
    asked = {"queries": ["How fast?"], "files": [], "collections": [name], "ids": ["coll_1"]}
    found = {"searched": searched, "seconds": 0.012, "passages": passages}
    return (
        FunctionCall(id="fc_1", call_id="fs_1", name="file_search", arguments=msgspec.json.encode(asked).decode()),
        FunctionCallOutput(id="fco_1", call_id="fs_1", output=msgspec.json.encode(found).decode()),
    )


def answer(text: str, *cited: Passage) -> Message:
    """Return an answer that cites passages by their numbers, in the order of their marks."""
    marks = [(text.index(f"[{each.n}]"), each) for each in cited]
    notes = tuple(
        UrlCitation(url=link(each), title=label(each), start_index=at, end_index=at + len(f"[{each.n}]"))
        for at, each in marks
    )
    return Message(id="msg_1", role="assistant", content=(OutputText(text=text, annotations=notes),))
