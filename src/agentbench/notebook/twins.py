"""A conversation as it stays in a notebook. Owns how its parts are laid out, in HTML, Markdown and plain text alike.

The HTML keeps to what JupyterLab leaves of a notebook that nobody trusts: plain elements, which take their colours
from the page, and no styles, ids or ARIA.
"""

from __future__ import annotations

from collections import defaultdict
from html import escape
from textwrap import indent
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from agentbench.notebook import markdown
from agentbench.notebook.blocks import Block, blocks_of, note_of, text_kind
from agentbench.notebook.records import Record
from agentbench.notebook.render import clean, code_html, html_of, image_html, is_link, pretty_json
from agentbench.notebook.sanitize import fence, literal
from agentbench.notebook.sources import LONGEST_PASSAGE, cut, line_of, searches_of, title_of
from agentbench.protocol.content import InputImage
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Item, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.notebook.blocks import Kind
    from agentbench.notebook.sources import Search
    from agentbench.runner.documents import Passage
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow

__all__ = ["conversation_record", "html_twin", "markdown_twin", "plain_twin", "question_of", "turn_rows"]

_Number = TypeVar("_Number", int, float)
_NOTHING = "Nothing was said yet."
_NO_ROWS: Mapping[str, UsageRow] = {}
_NO_TIMES: Mapping[str, float] = {}


def conversation_record(
    title: str | None,
    turns: Sequence[StoredResponse],
    *,
    rows: Iterable[UsageRow] = (),
    seconds: Mapping[str, float] = _NO_TIMES,
    note: str = "",
) -> Record:
    """Return the twin of a conversation, its turns oldest first.

    `rows` are its calls in the ledger, as many as there are; `seconds` says how long a tool took, by call id; `note`
    stands at the end.
    """
    totals = turn_rows(rows)
    return Record(
        html_twin(title, turns, totals, seconds=seconds, note=note),
        markdown_twin(title, turns, totals, note=note),
        plain_twin(title, turns, totals, note=note),
    )


def turn_rows(rows: Iterable[UsageRow]) -> dict[str, UsageRow]:
    """Return one row a response, by its id: the sum of its calls, titles and the like left out."""
    calls: dict[str, list[UsageRow]] = defaultdict(list)
    for row in rows:
        if row.response_id is not None and row.context in ("message", "tool_step"):
            calls[row.response_id].append(row)
    return {response: _summed(each) for response, each in calls.items()}


def html_twin(
    title: str | None,
    turns: Sequence[StoredResponse],
    rows: Mapping[str, UsageRow] = _NO_ROWS,
    *,
    seconds: Mapping[str, float] = _NO_TIMES,
    note: str = "",
) -> str:
    """Return a conversation as HTML; `rows` has a row a turn by response id."""
    parts = [f"<p><strong>{escape(title)}</strong></p>"] if title else []
    parts += [_turn_html(turn, rows.get(turn.response.id), seconds) for turn in turns]
    if not turns:
        parts.append(f"<p>{_NOTHING}</p>")
    return clean("<hr>".join(parts) + _note_html(note))


def markdown_twin(
    title: str | None,
    turns: Sequence[StoredResponse],
    rows: Mapping[str, UsageRow] = _NO_ROWS,
    *,
    note: str = "",
) -> str:
    """Return a conversation as Markdown, the questions quoted; `rows` has a row a turn by response id."""
    parts = [f"**{literal(title)}**"] if title else []
    for turn in turns:
        asked = markdown.bundle([Block("refusal", question_of(turn))])["text/markdown"]
        row = rows.get(turn.response.id)
        said = markdown.bundle(_blocks(turn), note=note_of(turn.response), row=row)["text/markdown"]
        parts.append(f"{asked}\n\n{said}")
    if not turns:
        parts.append(_NOTHING)
    if note:
        parts.append(f"*{literal(note)}*")
    return "\n\n---\n\n".join(parts)


def plain_twin(
    title: str | None,
    turns: Sequence[StoredResponse],
    rows: Mapping[str, UsageRow] = _NO_ROWS,
    *,
    note: str = "",
) -> str:
    """Return a conversation as plain text, the questions quoted; `rows` has a row a turn by response id."""
    parts = [title] if title else []
    for turn in turns:
        said = markdown.plain(_blocks(turn), note=note_of(turn.response), row=rows.get(turn.response.id))
        parts.append(f"{indent(question_of(turn), '> ', lambda _: True)}\n\n{said}")
    if not turns:
        parts.append(_NOTHING)
    return "\n\n".join([*parts, f"({note})"] if note else parts)


def question_of(turn: StoredResponse) -> str:
    """Return what a turn was asked, as text; an image is named, not shown."""
    items = [item for item in turn.input if isinstance(item, Item)]
    texts = [block.text for block in blocks_of(items)]
    images = [image for item in items if isinstance(item, Message) for image in _images(item.content)]
    return "\n\n".join([*texts, *("(image)" for _ in images)])


def _blocks(turn: StoredResponse) -> list[Block]:
    return blocks_of(turn.response.output, text=text_kind(turn.response))


def _summed(rows: Sequence[UsageRow]) -> UsageRow:
    return structs.replace(
        rows[-1],
        input_tokens=_sum([row.input_tokens for row in rows]),
        output_tokens=_sum([row.output_tokens for row in rows]),
        cost=_sum([row.cost for row in rows]),
        duration=sum(row.duration for row in rows),
    )


def _sum(values: Sequence[_Number | None]) -> _Number | None:
    """Return the sum; None if one of the values isn't known."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _turn_html(turn: StoredResponse, row: UsageRow | None, seconds: Mapping[str, float]) -> str:
    output = turn.response.output
    results = {item.call_id: item for item in output if isinstance(item, FunctionCallOutput)}
    searches = searches_of(output)
    called = {item.call_id for item in output if isinstance(item, FunctionCall)}
    asked = "".join(_item_html(item, "text") for item in turn.input if isinstance(item, Item))
    parts = [f'<blockquote class="ab-question">{asked}</blockquote>']
    for item in output:
        if isinstance(item, FunctionCall) and item.call_id in searches:
            parts.append(_note_html(f"{line_of(searches[item.call_id])}."))
        elif isinstance(item, FunctionCall):
            parts.append(_call_html(item, results.get(item.call_id), seconds.get(item.call_id)))
        elif not (isinstance(item, FunctionCallOutput) and item.call_id in called):
            parts.append(_item_html(item, text_kind(turn.response)))
    parts += _sources_html(searches.values())
    parts.append(_note_html(note_of(turn.response)))
    if row is not None:
        parts.append(f'<p class="ab-usage"><small>{escape(markdown.summary_line(row))}</small></p>')
    return f'<section class="ab-turn">{"".join(parts)}</section>'


def _sources_html(searches: Iterable[Search]) -> list[str]:
    passages = [passage for search in searches for passage in search.passages]
    return ["<p><strong>Sources</strong></p>", *map(_passage_html, passages)] if passages else []


def _passage_html(passage: Passage) -> str:
    url = escape(passage.url or "")
    link = f'<p><a href="{url}">{url}</a></p>' if url and is_link(passage.url or "") else ""
    text = escape(cut(passage.text, LONGEST_PASSAGE))
    return _folded("ab-result", f"[{passage.n}] {escape(title_of(passage))}", f'{link}<pre class="ab-raw">{text}</pre>')


def _item_html(item: Item, kind: Kind) -> str:
    match item:
        case Message():
            text = html_of(fence(item.text, "json") if kind == "json" and item.text else item.text)
            refusal = f'<blockquote class="ab-refusal">{html_of(item.refusal)}</blockquote>' if item.refusal else ""
            return text + _images_html(item.content) + refusal
        case Reasoning() if item.text:
            return _folded("ab-reasoning", "Reasoning", html_of(item.text))
        case FunctionCallOutput():
            return _folded("ab-result", "Result", _result_html(item))
    return ""


def _call_html(call: FunctionCall, result: FunctionCallOutput | None, seconds: float | None) -> str:
    summary = f"<strong>{escape(call.name)}</strong>" + ("" if seconds is None else f" · {markdown.seconds(seconds)}")
    arguments = f"<pre><code>{code_html(pretty_json(call.arguments), 'json')}</code></pre>"
    return _folded("ab-call", summary, arguments + ("<p>No result.</p>" if result is None else _result_html(result)))


def _result_html(item: FunctionCallOutput) -> str:
    if isinstance(item.output, str):
        return f"<pre><code>{escape(item.output)}</code></pre>"
    [block] = blocks_of([item]) or [Block("output", "")]
    return f"<pre><code>{escape(block.text)}</code></pre>{_images_html(item.output)}"


def _folded(kind: str, summary: str, html: str) -> str:
    return f'<details class="{kind}"><summary>{summary}</summary>{html}</details>'


def _note_html(note: str) -> str:
    return f'<p class="ab-note"><em>{escape(note)}</em></p>' if note else ""


def _images(parts: Iterable[object]) -> list[str]:
    return [part.image_url for part in parts if isinstance(part, InputImage) and part.image_url]


def _images_html(parts: Iterable[object]) -> str:
    return "".join(f"<p>{image_html(image, 'image')}</p>" for image in _images(parts))
