"""The blocks of an answer: finished, and while they grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.notebook.blocks import Block, Growing, blocks_of, note_of, text_kind
from agentbench.protocol.content import InputText
from agentbench.protocol.items import FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench import Stream

CALL: dict[str, Any] = {"call": {"name": "look", "arguments": {"at": "sky"}}}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "text": [{"text": "Hello there."}],
    "reasoning": [{"reasoning": "Let me think."}, {"text": "Hello."}],
    "refusal": [{"refusal": "I'd rather not."}],
    "text and refusal": [{"text": "Well. "}, {"refusal": "No."}],
    "calls": [{"text": "I look."}, CALL, {"call": {"name": "now"}}],
    "a call, then text": [CALL, {"text": "Done."}],
    "thoughts between": [{"reasoning": "a"}, {"text": "b"}, {"reasoning": "c"}, {"text": "d"}],
    "nothing": [],
    "cut": [{"text": "Half"}, {"finish": "length"}],
    "failed": [{"text": "Half"}, {"error": "It fell over."}],
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench of every kind of script."""
    config = {"endpoints": {"scripted": {"models": SCRIPTS}}}
    with Workbench(config, home=tmp_path_factory.mktemp("blocks")) as bench:
        yield bench


def grown(stream: Stream) -> list[Block]:
    """Return the blocks that a stream grew to."""
    growing = Growing()
    for event in stream:
        growing.feed(event)
    return growing.blocks


@pytest.mark.parametrize("name", SCRIPTS)
def test_growing_ends_as_the_answer(bench: Workbench, name: str) -> None:
    """Followed event by event, an answer comes to the same blocks as read whole."""
    stream = bench.stream("Go.", model=f"scripted/{name}")
    assert grown(stream) == blocks_of(stream.response.output)


def test_blocks_grow_in_order(bench: Workbench) -> None:
    """Reasoning, text and calls are blocks in the order of the answer, a call with its name."""
    assert grown(bench.stream("Go.", model="scripted/reasoning")) == [
        Block("reasoning", "Let me think."),
        Block("text", "Hello."),
    ]
    assert grown(bench.stream("Go.", model="scripted/calls")) == [
        Block("text", "I look."),
        Block("call", '{"at":"sky"}', "look"),
        Block("call", "{}", "now"),
    ]


def test_json_is_a_kind_of_its_own(bench: Workbench) -> None:
    """Where JSON was asked for, text is JSON while it grows and in the end."""
    stream = bench.stream("Go.", model="scripted/text", schema={"type": "object"})
    assert grown(stream) == [Block("json", "Hello there.")]
    assert text_kind(stream.response) == "json"


def test_only_news_is_drawn(bench: Workbench) -> None:
    """An event says whether it changed what there is to see."""
    growing = Growing()
    told = {event.__struct_config__.tag: growing.feed(event) for event in bench.stream("Go.", model="scripted/text")}
    assert [tag for tag, changed in told.items() if changed] == ["response.output_text.delta"]


@pytest.mark.parametrize(
    ("name", "note"),
    [("text", ""), ("cut", "Stopped early: max output tokens."), ("failed", "Broke off: It fell over.")],
)
def test_an_early_end_is_noted(bench: Workbench, name: str, note: str) -> None:
    """A reader learns why an answer isn't whole."""
    stream = bench.stream("Go.", model=f"scripted/{name}")
    list(stream)
    assert note_of(stream.response) == note


def test_a_functions_output_is_text() -> None:
    """Output in parts is joined, one line a part."""
    output = FunctionCallOutput(id="o", call_id="c", output=(InputText(text="a"), InputText(text="b")))
    assert blocks_of([output]) == [Block("output", "a\nb")]
