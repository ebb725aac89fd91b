"""What a view is given of a turn: inert, laid out, and never too long; whole or while it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.notebook.inert import faults
from tests.notebook.payloads import PAYLOADS
from tests.notebook.searches import answer, passage, search
from tests.notebook.turns import row, turn

from agentbench.notebook.chat.drawing import arguments_of, result_of, turn_of
from agentbench.notebook.chat.growing import Growing
from agentbench.notebook.chat.totals import totals, turn_rows
from agentbench.notebook.chat.values import Turn, plain
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.content import InputImage, InputText, OutputText, ReasoningText, Refusal, UrlCitation
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.request import JsonObjectFormat, TextConfig
from agentbench.protocol.response import IncompleteDetails, ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import Event

EACH = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)


def drawn(*output: object, **options: object) -> Turn:
    """Return a turn of these items as a view gets it."""
    return turn_of(turn("Why?", output, **options), siblings=("resp_1",), row=None, seconds={})  # type: ignore[arg-type]


def html_in(shown: Turn) -> Iterator[str]:
    """Yield all HTML that a turn brings."""
    yield shown.question.html
    for block in shown.blocks:
        yield from block.html
        yield from () if block.result is None else block.result.html


@EACH
def test_nothing_is_live(payload: str) -> None:
    """Wherever a stranger's text stands, what a page makes HTML of is inert; images hold themselves what they show."""
    source = OutputText(
        text=payload, annotations=(UrlCitation(url=payload, title=payload, start_index=0, end_index=3),)
    )
    output = (
        Message(id="m1", role="assistant", content=(source, Refusal(refusal=payload))),
        Reasoning(id="r1", content=(ReasoningText(text=payload),)),
        FunctionCall(id="f1", call_id="c1", name=payload, arguments=payload),
        FunctionCallOutput(id="o1", call_id="c1", output=payload),
        FunctionCallOutput(id="o2", call_id="c2", output=(InputText(text=payload), InputImage(image_url=payload))),
    )
    stored = turn(payload, output, payload, status="failed", error=ResponseError(code="server_error", message=payload))
    shown = turn_of(stored, siblings=("resp_1",), row=None, seconds={})
    assert [fault for html in html_in(shown) for fault in faults(html)] == []
    assert all(each.startswith("data:image/") for each in shown.question.images)
    assert all(each.url is None or each.url.startswith(("http", "mailto:")) for each in shown.sources)


@EACH
def test_nothing_is_live_while_it_grows(payload: str) -> None:
    """Nor is it at any moment of a stream."""
    builder, growing = EventBuilder(draft(CreateResponse(), model="m")), Growing({})
    feed(growing, builder.start())
    for piece in (payload[:5], payload[5:9], payload[9:]):
        feed(growing, [*builder.text(piece), *builder.reasoning(piece), *builder.refusal(piece)])
        growing.changes()
        assert [fault for block in growing.blocks for html in block.html for fault in faults(html)] == []


def feed(growing: Growing, events: list[Event]) -> None:
    """Take in events."""
    for event in events:
        growing.feed(event)


def test_growing_is_what_it_becomes() -> None:
    """Each block has the key, kind and name that it will have in the whole turn."""
    builder, growing = EventBuilder(draft(CreateResponse(), model="m")), Growing({"c1": 0.5})
    feed(growing, [*builder.start(), *builder.reasoning("Hm"), *builder.text("Hi")])
    feed(growing, [*builder.call(1, name="look", call_id="c1", arguments='{"at":'), *builder.call(1, arguments="1}")])
    feed(growing, builder.next_call())
    feed(growing, builder.item(FunctionCallOutput(id="o1", call_id="c1", output="seen")))
    growing.changes()
    builder.stop()
    whole = drawn(*builder.output).blocks
    assert [(each.key, each.kind, each.name, each.result) for each in growing.blocks] == [
        (each.key, each.kind, each.name, each.result) for each in whole
    ]
    assert (growing.blocks[2].seconds, growing.blocks[2].state) == (0.5, "done")


def test_a_growing_search_is_what_it_becomes() -> None:
    """Its block has what was found as soon as that is told, and the same in the whole turn."""
    builder, growing = EventBuilder(draft(CreateResponse(), model="m")), Growing({})
    call, found = search(passage())
    feed(growing, [*builder.start(), *builder.item(call)])
    assert [each.fields["block"]["state"] for each in growing.changes()] == ["running"]
    feed(growing, builder.item(found))
    assert [each.fields["block"]["found"]["line"][:14] for each in growing.changes()] == ["Searched 1,234"]
    assert (growing.changes(), growing.blocks) == ([], drawn(call, found).blocks)


def test_sources_are_the_passages() -> None:
    """Each once, marked where it isn't cited; then what else the model named. What isn't the web's is no link."""
    one, two = passage(1), passage(2, url="javascript:x()")
    other = UrlCitation(url="https://example.org", title="web", start_index=0, end_index=4)
    said = Message(id="m", role="assistant", content=(OutputText(text="Fast", annotations=(other,)),))
    shown = drawn(*search(one, two), answer("It [1].", one), said)
    assert [(each.n, each.cited, each.url, each.title) for each in shown.sources] == [
        (1, True, None, "a.pdf, page 3 · Birds > Speed"),
        (2, False, None, "a.pdf, page 3 · Birds > Speed"),
        (None, True, "https://example.org", "web"),
    ]


def test_a_long_passage_is_cut() -> None:
    """A turn brings the beginning; the whole is asked for."""
    (block,) = drawn(*search(passage(text="x" * 100_000))).blocks
    assert block.found is not None
    assert len(block.found.passages[0].text) == 2_001


def test_changes_come_once() -> None:
    """What was told isn't told again; a call that changes is told as a whole."""
    builder, growing = EventBuilder(draft(CreateResponse(), model="m")), Growing({})
    feed(growing, [*builder.start(), *builder.call(1, name="look", call_id="c1", arguments="{}")])
    assert [(each.event, each.fields["index"]) for each in growing.changes()] == [("block", 0)]
    assert (growing.changes(), growing.waits) == ([], False)
    growing.set_state("c1", "waiting")
    assert growing.waits
    assert [each.fields["block"]["state"] for each in growing.changes()] == ["waiting"]


def test_json_answers() -> None:
    """An answer that was asked for as JSON is shown as code."""
    message = Message(id="m1", role="assistant", content=(OutputText(text='{"a": 1}'),))
    (block,) = drawn(message, text=TextConfig(format=JsonObjectFormat())).blocks
    assert (block.kind, block.html[0].startswith("<pre><code>")) == ("json", True)


@pytest.mark.parametrize(
    ("status", "details", "expected"),
    [
        ("completed", None, "completed"),
        ("incomplete", IncompleteDetails(reason="interrupted"), "stopped"),
        ("incomplete", IncompleteDetails(reason="max_output_tokens"), "incomplete"),
        ("cancelled", None, "stopped"),
        ("failed", None, "failed"),
    ],
)
def test_how_a_turn_ended(status: str, details: IncompleteDetails | None, expected: str) -> None:
    """Its status says so, and a call without a result in a turn that broke off counts as failed."""
    call = FunctionCall(id="f1", call_id="c1", name="look", arguments="{}")
    shown = drawn(call, status=status, incomplete_details=details)
    assert (shown.status, shown.blocks[0].state) == (expected, "done" if status == "completed" else "failed")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("fine", "done"),
        ("Error: ValueError: no", "failed"),
        ("Error: the person declined this call.", "refused"),
    ],
)
def test_how_a_call_ended(said: str, state: str) -> None:
    """Its result says so."""
    call = FunctionCall(id="f1", call_id="c1", name="look", arguments="{}")
    (block,) = drawn(call, FunctionCallOutput(id="o1", call_id="c1", output=said)).blocks
    assert block.state == state


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "[" * 900 + "]" * 900, '{"a":' * 5000 + "1" + "}" * 5000, "[" + "0," * 500_000 + "0]", "x" * 10**6],
)
def test_bombs(text: str) -> None:
    """Whatever the arguments or a result are, what is shown is short, and made in no time."""
    shown = result_of(FunctionCallOutput(id="o1", call_id="c1", output=text))
    assert len(arguments_of(text)) < 21_000
    assert len("".join(shown.html)) < 250_000


def test_a_result_with_images_and_files() -> None:
    """Images that it holds are shown, large ones are fetched, those elsewhere are counted."""
    small, large = "data:image/png;base64,AAAA", f"data:image/png;base64,{'A' * 300_000}"
    images = [InputImage(image_url=each) for each in (small, "https://example.com/a.png", large)]
    shown = result_of(FunctionCallOutput(id="o1", call_id="c1", output=(InputText(text="Look"), *images)))
    assert (shown.images, shown.note) == ((small, "held:2"), "Not shown: 1 image.")


def test_json_as_views_get_it() -> None:
    """A turn is plain JSON, with lists."""
    shown = plain(drawn())
    assert shown == msgspec.json.decode(msgspec.json.encode(shown))
    assert shown["siblings"] == ["resp_1"]


def test_what_turns_took() -> None:
    """The calls of a turn are one row, with the first one's wait for a token; a title is no turn."""
    rows = [
        row(id="use_1", step=0, context="tool_step", cost=0.5, time_to_first_token=0.1),
        row(id="use_2", step=1, cost=None, time_to_first_token=0.9),
        row(id="use_3", context="title", response_id="resp_9", cost=0.25),
    ]
    (found,) = turn_rows(rows).values()
    assert (found.input_tokens, found.cost, found.time_to_first_token) == (20, None, 0.1)
    together = totals(1, rows)
    assert (together["cost"], together["line"]) == (None, "1 turn · 30 → 15 tokens · at least $0.75")
    assert totals(2, rows[::2])["line"] == "2 turns · 20 → 10 tokens · $0.75"
    assert totals(0, [])["line"] == ""
