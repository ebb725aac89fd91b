"""What stays of a conversation when the kernel is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from tests.notebook.inert import faults
from tests.notebook.turns import row, turn

from agentbench.notebook.twins import conversation_record, question_of, turn_rows
from agentbench.protocol.content import InputImage, InputText, OutputText, ReasoningText, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning, assistant_message
from agentbench.protocol.request import JsonObjectFormat, TextConfig
from agentbench.protocol.response import IncompleteDetails

if TYPE_CHECKING:
    from agentbench.notebook.records import Record

DOT = "data:image/png;base64,AAAA"
CALL = FunctionCall(id="f", call_id="c", name="search", arguments='{"q":"sky"}')
RESULT = FunctionCallOutput(id="o", call_id="c", output="<blue>")


@pytest.fixture
def record() -> Record:
    """Give the record of two turns with a tool, reasoning and a row in the ledger."""
    thought = Reasoning(id="r", content=(ReasoningText(text="Look it up."),))
    first = turn("Which *colour*?", (thought, CALL, RESULT, assistant_message("It is **blue**.")), DOT)
    stopped = IncompleteDetails(reason="max_output_tokens")
    second = turn("Why?", "Because", id="resp_2", status="incomplete", incomplete_details=stopped)
    return conversation_record("Sky", [first, second], rows=[row()], seconds={"c": 0.42}, note="Saved.")


def test_a_record_is_a_notebook_s_output(record: Record) -> None:
    """One output in three kinds, for every reader; a live view finds its HTML by a class."""
    html = f'<div class="agentbench-record one">{record.html}</div>'
    assert record.bundle("one") == {"text/html": html, "text/markdown": record.markdown, "text/plain": record.plain}


def test_html_stays_html_within_markdown() -> None:
    """A blank line in a block of code doesn't end the HTML where a converter puts it into Markdown."""
    hostile = "```\na\n\n  \n![x](https://example.org/x.png)\n\n<b>\n```"
    html = conversation_record(None, [turn("Draw.", hostile)]).bundle("one")["text/html"]
    page = MarkdownIt("commonmark", {"html": True}).render(f"Before.\n\n{html}\n\nAfter.")
    assert "<img" not in page
    assert page == f"<p>Before.</p>\n{html}\n<p>After.</p>\n"


def test_html_has_all_parts(record: Record) -> None:
    """Question with image, reasoning and call folded, answer, what it took, why it stopped."""
    for part in (
        '<blockquote class="ab-question"><p dir="auto">Which <em>colour</em>?</p>',
        f'<p><img src="{DOT}" alt="image"></p></blockquote>',
        '<details class="ab-reasoning"><summary>Reasoning</summary><p dir="auto">Look it up.</p>\n</details>',
        '<details class="ab-call"><summary><strong>search</strong> · 420 ms</summary><pre><code>{',
        "<pre><code>&lt;blue&gt;</code></pre></details>",
        '<p dir="auto">It is <strong>blue</strong>.</p>',
        '<p class="ab-usage"><small>e/m · 10 → 5 tokens · 1.0 s</small></p>',
        '<p class="ab-note"><em>Stopped early: max output tokens.</em></p>',
        '<p class="ab-note"><em>Saved.</em></p>',
    ):
        assert part in record.html
    assert faults(record.html) == []


def test_markdown_and_text_tell_the_same(record: Record) -> None:
    """For GitHub and for a terminal."""
    for text in (record.markdown, record.plain):
        for part in ("Sky", "(image)", "search", "It is **blue**.", "10 → 5 tokens", "Stopped early", "Saved."):
            assert part in text
    assert record.markdown.startswith("**Sky**\n\n---\n\n> Which *colour*?\n> \n> (image)")
    assert record.plain.startswith("Sky\n\n> Which *colour*?")


def test_nothing_said_is_said() -> None:
    """An empty conversation has a record too."""
    record = conversation_record(None, [])
    assert record == ("<p>Nothing was said yet.</p>", "Nothing was said yet.", "Nothing was said yet.")


def test_a_turn_s_calls_are_summed() -> None:
    """Steps with tools count, a title doesn't; a sum with an unknown part isn't known."""
    step = row(context="tool_step", cost=0.5, output_tokens=None)
    rows = turn_rows([step, row(cost=0.25), row(context="title"), row(response_id=None)])
    assert set(rows) == {"resp_1"}
    total = rows["resp_1"]
    assert (total.input_tokens, total.output_tokens, total.cost, total.duration) == (20, None, 0.75, 2.0)


def test_json_refusals_and_lone_results_have_their_place() -> None:
    """JSON is code, a refusal is quoted, a result without its call is folded, a call may have none."""
    json = TextConfig(format=JsonObjectFormat())
    said = Message(id="m", role="assistant", content=(OutputText(text='{"a": 1}'), Refusal(refusal="No.")))
    picture = FunctionCallOutput(id="p", call_id="p", output=(InputText(text="a dot"), InputImage(image_url=DOT)))
    html = conversation_record(None, [turn("Go.", (said, CALL, picture), text=json)]).html
    assert '<pre><code>{<span class="ab-f">"a"</span>: <span class="ab-n">1</span>}\n</code></pre>' in html
    assert '<blockquote class="ab-refusal"><p dir="auto">No.</p>\n</blockquote>' in html
    assert "<p>No result.</p></details>" in html
    assert f'<img src="{DOT}" alt="image"></p></details>' in html


def test_a_question_names_its_images() -> None:
    """Text stands for what plain text can't show."""
    assert question_of(turn("Look.", "Nice.", DOT, DOT)) == "Look.\n\n(image)\n\n(image)"
