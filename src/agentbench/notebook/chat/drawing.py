"""From what is stored of a turn to what a view is given. What is too long for a page is cut, and a note says so."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from agentbench.notebook.blocks import blocks_of as said_by
from agentbench.notebook.blocks import note_of, text_kind
from agentbench.notebook.chat.pictures import shown_images
from agentbench.notebook.chat.values import Block, Found, Passage, Question, Source, Taken, ToolResult, Turn
from agentbench.notebook.markdown import summary_line
from agentbench.notebook.render import clean, image_html, is_link, pieces_of, pretty_json
from agentbench.notebook.sanitize import fence
from agentbench.notebook.sources import LONGEST_PASSAGE, cited_by, cut, line_of, searches_of, title_of
from agentbench.protocol.content import InputImage, InputText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Item, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from agentbench.notebook.blocks import Kind
    from agentbench.notebook.chat.values import State, Status
    from agentbench.notebook.sources import Search
    from agentbench.protocol import InputItem, Response
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow

__all__ = [
    "LONGEST_RESULT",
    "LONGEST_TEXT",
    "arguments_of",
    "as_written",
    "blocks_of",
    "note_of_cut",
    "question_of",
    "question_text",
    "result_of",
    "searched",
    "state_of",
    "status_of",
    "taken",
    "turn_of",
]

LONGEST_TEXT = 100_000
LONGEST_RESULT = 20_000
"""Characters that are shown of a text, and of a tool's arguments or result."""
_MOST_SOURCES = 50
_REFUSED = ("Error: the person declined this call.", "Error: nobody is here to approve it.")


def turn_of(
    stored: StoredResponse, *, siblings: Sequence[str], row: UsageRow | None, seconds: Mapping[str, float]
) -> Turn:
    """Return a stored turn; `seconds` tells how long its calls took, where that is known."""
    response = stored.response
    prefix = f"{stored.endpoint}/"
    return Turn(
        id=response.id,
        parent=stored.parent,
        question=question_of(stored.input),
        blocks=blocks_of(response, seconds),
        status=status_of(response),
        note=note_of(response),
        usage=None if row is None else taken(row),
        siblings=tuple(siblings),
        agent=stored.agent or "",
        model=prefix + response.model.removeprefix(prefix),
        at=stored.created_at.isoformat(),
        sources=_sources(response.output),
    )


def question_of(items: Iterable[InputItem]) -> Question:
    """Return what was asked, as text and images."""
    kept = list(items)
    text = question_text(kept)
    shown = shown_images(kept)
    links = "".join(f"<p>{image_html(each, _name(each))}</p>" for each in shown.hidden)
    cut = text[:LONGEST_TEXT]
    html = "".join(pieces_of(cut)) if "```" in cut else as_written(cut)
    if note := note_of_cut(text, LONGEST_TEXT):
        links = f"{as_written(note)}{links}"
    return Question(text=text, html=html + links, images=shown.sources)


def question_text(items: Iterable[InputItem]) -> str:
    """Return what was asked, as text alone."""
    return "\n\n".join(block.text for block in said_by(item for item in items if isinstance(item, Item)))


def blocks_of(response: Response, seconds: Mapping[str, float]) -> tuple[Block, ...]:
    """Return a finished answer's blocks; a call's result is part of the call."""
    results = {item.call_id: item for item in response.output if isinstance(item, FunctionCallOutput)}
    searches = searches_of(response.output)
    called = {item.call_id for item in response.output if isinstance(item, FunctionCall)}
    kind, ended = text_kind(response), response.status == "completed"
    blocks: list[Block] = []
    for item in response.output:
        match item:
            case Message():
                blocks += _said(item, kind)
            case Reasoning() if item.text:
                blocks.append(_prose(item.id, "reasoning", item.text))
            case FunctionCall() if item.call_id in searches:
                blocks.append(searched(item, searches[item.call_id]))
            case FunctionCall():
                blocks.append(_called(item, results.get(item.call_id), seconds.get(item.call_id), ended=ended))
            case FunctionCallOutput() if item.call_id not in called:
                blocks.append(_lone(item))
            case _:
                pass
    return tuple(blocks)


def searched(call: FunctionCall, search: Search) -> Block:
    """Return the block of a search of documents."""
    passages = tuple(
        Passage(
            n=each.n, title=title_of(each), url=_link(each.url), score=each.score, text=cut(each.text, LONGEST_PASSAGE)
        )
        for each in search.passages
    )
    found = Found(line=line_of(search), passages=passages)
    return Block(key=f"{call.id}:call", kind="search", name=call.name, call_id=call.call_id, found=found)


def status_of(response: Response) -> Status:
    """Return how an answer ended."""
    reason = "" if response.incomplete_details is None else response.incomplete_details.reason
    if response.status == "cancelled" or reason == "interrupted":
        return "stopped"
    if response.status in ("completed", "failed"):
        return "completed" if response.status == "completed" else "failed"
    return "incomplete"


def arguments_of(text: str) -> str:
    """Return a call's arguments, laid out if they are JSON of a sane size."""
    laid_out = _laid_out(text)
    note = note_of_cut(laid_out, LONGEST_RESULT)
    return f"{laid_out[:LONGEST_RESULT]}\n… {note}" if note else laid_out


def result_of(item: FunctionCallOutput) -> ToolResult:
    """Return what a call gave back."""
    parts = [InputText(text=item.output)] if isinstance(item.output, str) else item.output
    text = "\n".join(part.text for part in parts if isinstance(part, InputText))
    others = [part for part in parts if not isinstance(part, InputText | InputImage)]
    images = shown_images([item])
    laid_out = _laid_out(text)
    language = "json" if text.lstrip().startswith(("{", "[")) else ""
    shown = laid_out[:LONGEST_RESULT]
    missing = [_counted(len(images.hidden), "image"), _counted(len(others), "file")]
    left_out = ", ".join(filter(None, missing))
    notes = [note_of_cut(laid_out, LONGEST_RESULT), f"Not shown: {left_out}." if left_out else ""]
    return ToolResult(
        html=tuple(pieces_of(fence(shown, language))) if shown else (),
        images=images.sources,
        note=" ".join(filter(None, notes)),
    )


def state_of(result: FunctionCallOutput) -> State:
    """Return how a call ended, by its result."""
    text = result.output if isinstance(result.output, str) else ""
    if text in _REFUSED:
        return "refused"
    return "failed" if text.startswith("Error:") else "done"


def taken(row: UsageRow) -> Taken:
    """Return what a turn took."""
    return Taken(
        line=summary_line(row),
        input=row.input_tokens,
        output=row.output_tokens,
        cost=row.cost,
        seconds=row.duration,
        first=row.time_to_first_token,
    )


def as_written(text: str) -> str:
    """Return text as HTML with its lines as they are and nothing else laid out."""
    lines = escape(text.encode("utf-8", "replace").decode()).split("\n")
    return clean(f'<p dir="auto">{"<br>".join(lines)}</p>')


def note_of_cut(text: str, limit: int) -> str:
    """Return what to say of a text that is shown up to a limit; empty if all of it is."""
    if len(text) <= limit:
        return ""
    return f"The first {limit:,} of {len(text):,} characters. %agent history has them all."


def _said(message: Message, kind: Kind) -> Iterator[Block]:
    if message.text:
        yield _prose(message.id, kind, message.text)
    if message.refusal:
        key, html = f"{message.id}:refusal", as_written(message.refusal[:LONGEST_TEXT])
        yield Block(key=key, kind="refusal", html=(html,), note=note_of_cut(message.refusal, LONGEST_TEXT))


def _prose(key: str, kind: Kind, text: str) -> Block:
    shown = text[:LONGEST_TEXT]
    markdown = fence(shown, "json") if kind == "json" else shown
    note = note_of_cut(text, LONGEST_TEXT)
    return Block(key=f"{key}:{kind}", kind=kind, html=tuple(pieces_of(markdown)), note=note)


def _called(call: FunctionCall, result: FunctionCallOutput | None, seconds: float | None, *, ended: bool) -> Block:
    state: State = "done" if ended else "failed"
    return Block(
        key=f"{call.id}:call",
        kind="call",
        name=call.name,
        call_id=call.call_id,
        arguments=arguments_of(call.arguments),
        seconds=seconds,
        state=state if result is None else state_of(result),
        note="" if result or ended else "The answer ended before this call did.",
        result=None if result is None else result_of(result),
    )


def _lone(item: FunctionCallOutput) -> Block:
    """Return a result whose call isn't part of the answer."""
    shown, key = result_of(item), f"{item.id}:output"
    return Block(key=key, kind="output", call_id=item.call_id, html=shown.html, images=shown.images, note=shown.note)


def _laid_out(text: str) -> str:
    """Return JSON with a member a line; text that is no JSON, or too long to be shown anyway, as it is."""
    return text if len(text) > 2 * LONGEST_RESULT else pretty_json(text)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}" if number else ""


def _name(address: str) -> str:
    return f"An image of {len(address):,} characters, not shown here" if address.startswith("data:") else address


def _sources(items: Iterable[Item]) -> tuple[Source, ...]:
    """Return the passages that the answer may cite, each once, and then what else it names."""
    kept = list(items)
    searches = searches_of(kept)
    cited = cited_by(kept, searches)
    found: dict[object, Source] = {}
    for each in (passage for search in searches.values() for passage in search.passages):
        is_cited = each.n in cited.numbers
        found[each.n] = Source(title=title_of(each), url=_link(each.url), quote="", n=each.n, cited=is_cited)
    for other, words in cited.others:
        source = Source(title=other.title, url=_link(other.url), quote=words[:500])
        found.setdefault((other.title, other.url), source)
    return tuple(found.values())[:_MOST_SOURCES]


def _link(address: str | None) -> str | None:
    return address if address is not None and is_link(address) else None
