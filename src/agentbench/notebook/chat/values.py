"""What a view of a chat is given: turns and their blocks. All HTML in them is safe to show as it is."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import json

from agentbench.notebook.blocks import Kind
from agentbench.protocol.values import Value

__all__ = ["Block", "Found", "Passage", "Question", "Source", "State", "Status", "Taken", "ToolResult", "Turn", "plain"]

State = Literal["running", "waiting", "done", "failed", "refused"]
Status = Literal["running", "completed", "incomplete", "failed", "stopped"]


class Question(Value, frozen=True, kw_only=True):
    """What was asked; `images` are `data:` URLs, or say which image is held back (`pictures`)."""

    text: str
    html: str
    images: tuple[str, ...] = ()


class ToolResult(Value, frozen=True, kw_only=True):
    """What a call gave back; `note` says what of it isn't shown."""

    html: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    note: str = ""


class Passage(Value, frozen=True, kw_only=True):
    """A passage that an answer may cite as `[n]`, with so much of its text as a page carries lightly."""

    n: int
    title: str
    url: str | None
    score: float
    text: str


class Found(Value, frozen=True, kw_only=True):
    """What a search of documents found, and the line that says so."""

    line: str
    passages: tuple[Passage, ...] = ()


class Block(Value, frozen=True, kw_only=True):
    """A stretch of an answer, of one kind; `html` holds its top-level pieces.

    A call has the rest: `arguments` as laid out JSON, `seconds` that its function took, its result. A search of
    documents has what it `found`.
    """

    key: str
    kind: Kind
    html: tuple[str, ...] = ()
    note: str = ""
    state: State = "done"
    name: str = ""
    call_id: str = ""
    arguments: str = ""
    seconds: float | None = None
    images: tuple[str, ...] = ()
    result: ToolResult | None = None
    found: Found | None = None


class Taken(Value, frozen=True, kw_only=True):
    """What a turn took; None is what nobody knows. `first` is the time to the first token, in seconds."""

    line: str
    input: int | None
    output: int | None
    cost: float | None
    seconds: float
    first: float | None


class Source(Value, frozen=True, kw_only=True):
    """What an answer refers to, and the stretch of it that does; `n` is a passage's number, which may not be cited."""

    title: str
    url: str | None
    quote: str
    n: int | None = None
    cited: bool = True


class Turn(Value, frozen=True, kw_only=True):
    """A question and its answer; `siblings` are the turns that follow the same one, itself among them."""

    id: str
    parent: str | None
    question: Question
    blocks: tuple[Block, ...] = ()
    status: Status
    note: str = ""
    usage: Taken | None = None
    siblings: tuple[str, ...]
    agent: str
    model: str
    at: str
    sources: tuple[Source, ...] = ()


def plain(value: Value) -> Any:
    """Return a value as JSON has it."""
    return json.decode(json.encode(value))  # with lists, where `to_builtins` leaves tuples
