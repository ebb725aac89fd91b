"""Nothing that a model, a tool or a person says runs where it is shown."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.notebook.inert import faults, text_of
from tests.notebook.payloads import PAYLOADS
from tests.notebook.turns import row, turn

from agentbench.notebook.render import GrowingHtml, clean, html_of, image_html
from agentbench.notebook.twins import conversation_record
from agentbench.protocol.content import InputImage, InputText, OutputText, ReasoningText, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning
from agentbench.protocol.response import ResponseError

EACH = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
FRAGMENTS = st.one_of(
    st.sampled_from(sorted(PAYLOADS.values())),
    st.sampled_from(
        ["\n", "\n\n", "> ", "- ", "    ", "```", "`", "$", "|", '"', "'", "<", ">", "[", "](", ")", "&", "\\"]
    ),
    st.text(max_size=5),
)


def recorded(text: str) -> str:
    """Return the record of a turn that has the text in every place."""
    output = (
        Message(id="m1", role="assistant", content=(OutputText(text=text), Refusal(refusal=text))),
        Reasoning(id="r1", content=(ReasoningText(text=text),)),
        FunctionCall(id="f1", call_id="c1", name=text, arguments=text),
        FunctionCallOutput(id="o1", call_id="c1", output=text),
        FunctionCallOutput(id="o2", call_id=text, output=(InputText(text=text), InputImage(image_url=text))),
    )
    said = turn(text, output, text, status="failed", error=ResponseError(code="server_error", message=text), model=text)
    usage = row(endpoint=text, model=text)
    return conversation_record(text, [said], rows=[usage], seconds={"c1": 0.5}, note=text).html


@EACH
def test_markdown_is_inert(payload: str) -> None:
    """Only plain elements, safe addresses and our classes come out; cleaning again changes nothing."""
    html = html_of(payload)
    assert faults(html) == []
    assert clean(html) == html


@EACH
def test_growing_markdown_is_inert(payload: str) -> None:
    """At every moment of a stream, wherever it is cut."""
    growing, cuts = GrowingHtml(clock=lambda: 0.0), random.Random(len(payload))  # noqa: S311 - cuts, not secrets
    at = 0
    while at < len(payload):
        size = cuts.randint(1, max(8, len(payload) // 40))
        growing.feed(payload[at : at + size])
        at += size
        change = growing.changes()
        assert faults("".join(change.html if change else ())) == []
    growing.finish()
    assert "".join(growing.pieces) == html_of(payload)


@EACH
def test_a_record_is_inert(payload: str) -> None:
    """In the title, a question, an answer, reasoning, a refusal, a call, a result, an error, a model's name, a note."""
    html = recorded(payload)
    assert faults(html) == []
    assert clean(html) == html
    assert html.count("</section>") == 1


@EACH
def test_an_image_s_address_is_inert(payload: str) -> None:
    """Also as an image's address or words."""
    assert faults(image_html(payload, payload)) == []


def test_markup_is_shown_as_it_was_written() -> None:
    """What isn't live isn't lost either."""
    for name in ("script", "img onerror", "svg onload", "comment", "template", "style"):
        assert text_of(html_of(PAYLOADS[name])).strip() == PAYLOADS[name]


@pytest.mark.parametrize(
    "html", ["<script>x</script>", "<p onclick=x>", "<a href=x>", "<svg>", "<!-- a -->", "<p id=a>"]
)
def test_the_check_finds_what_is_live(html: str) -> None:
    """The suite would notice."""
    assert faults(html)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map("".join))
def test_any_mixture_is_inert(text: str) -> None:
    """Payloads side by side and inside each other stay inert too, and clean."""
    html = html_of(text)
    assert faults(html) == []
    assert clean(html) == html


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map("".join), st.lists(st.integers(0, 400), max_size=6))
def test_any_cut_ends_as_the_whole(text: str, cuts: list[int]) -> None:
    """However a text comes in, at the end it is what it is in one piece."""
    growing, begin = GrowingHtml(clock=lambda: 0.0), 0
    shown: list[str] = []
    for cut in [*sorted(cuts), len(text)]:
        growing.feed(text[begin:cut] if cut > begin else "")
        begin = max(begin, cut)
        if change := growing.changes():
            shown[change.start :] = change.html
    if change := growing.finish():
        shown[change.start :] = change.html
    assert shown == growing.pieces
    assert "".join(shown) == html_of(text)
