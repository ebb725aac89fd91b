"""What each kind of content becomes; `test_builder_calls` and `test_builder_endings` have the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.streams import CITATION, LOGPROB, finished, kinds, only

from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText, ReasoningText, Refusal, SummaryText
from agentbench.protocol.items import FunctionCallOutput, Message, Reasoning

if TYPE_CHECKING:
    from agentbench.protocol import EventBuilder


def test_text(builder: EventBuilder) -> None:
    """Pieces of text become one message with one part, framed by its events."""
    events = finished(builder, builder.start() + builder.text("Hel") + builder.text("lo"))
    assert kinds(events[2:-1]) == [
        "ItemAdded",
        "ContentPartAdded",
        "TextDelta",
        "TextDelta",
        "TextDone",
        "ContentPartDone",
        "ItemDone",
    ]
    assert builder.response.output_text == "Hello"


def test_texts(builder: EventBuilder) -> None:
    """Several pieces at once become the same events as one after the other; empty ones none."""
    events = finished(builder, [*builder.start(), *builder.texts([]), *builder.texts(["Hel", "", "lo"])])
    assert [delta.delta for delta in only(events, ev.TextDelta)] == ["Hel", "lo"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert builder.response.output_text == "Hello"


def test_a_message_before_its_text(builder: EventBuilder) -> None:
    """A message is announced empty and in progress, and is done with its text."""
    events = finished(builder, builder.start() + builder.text("Hi"))
    added, done = only(events, ev.ItemAdded)[0].item, only(events, ev.ItemDone)[0].item
    assert added == Message(id=added.id, role="assistant", status="in_progress", content=())
    assert done == Message(id=added.id, role="assistant", content=(OutputText(text="Hi"),))


def test_nothing_new(builder: EventBuilder) -> None:
    """Empty pieces open nothing."""
    builder.start()
    news = [builder.text(""), builder.refusal(""), builder.reasoning(""), builder.reasoning_summary("")]
    assert news == [[], [], [], []]


def test_logprobs(builder: EventBuilder) -> None:
    """Log probabilities go out with their delta, and once more with the whole text and part."""
    events = builder.start() + builder.text("Seoul", logprobs=(LOGPROB,)) + builder.text("", logprobs=(LOGPROB,))
    events = finished(builder, events)
    assert [delta.logprobs for delta in only(events, ev.TextDelta)] == [(LOGPROB,), (LOGPROB,)]
    assert only(events, ev.TextDone)[0].logprobs == (LOGPROB, LOGPROB)
    assert only(events, ev.ContentPartDone)[0].part == OutputText(text="Seoul", logprobs=(LOGPROB, LOGPROB))


def test_annotations(builder: EventBuilder) -> None:
    """Citations are counted within their text, and stay with it."""
    events = builder.start() + builder.text("Seoul") + builder.annotation(CITATION) + builder.annotation(CITATION)
    events = finished(builder, events)
    assert [event.annotation_index for event in only(events, ev.AnnotationAdded)] == [0, 1]
    assert only(events, ev.ContentPartDone)[0].part == OutputText(text="Seoul", annotations=(CITATION, CITATION))


def test_an_annotation_before_any_text(builder: EventBuilder) -> None:
    """A citation that comes first opens the text that it stands in."""
    events = finished(builder, builder.start() + builder.annotation(CITATION) + builder.text("Seoul"))
    assert only(events, ev.ContentPartDone)[0].part == OutputText(text="Seoul", annotations=(CITATION,))


def test_refusal(builder: EventBuilder) -> None:
    """A refusal is a part of its own kind, and is not text."""
    events = finished(builder, builder.start() + builder.refusal("I ") + builder.refusal("won't."))
    assert kinds(events[3:-2]) == ["ContentPartAdded", "RefusalDelta", "RefusalDelta", "RefusalDone", "ContentPartDone"]
    assert only(events, ev.RefusalDone)[0].refusal == "I won't."
    assert builder.response.output_text == ""


def test_text_and_refusal(builder: EventBuilder) -> None:
    """Text, a refusal and text again are three parts of one message, each with its own citations."""
    events = builder.start() + builder.text("A") + builder.annotation(CITATION)
    finished(builder, events + builder.refusal("No.") + builder.text("B"))
    (message,) = builder.response.output
    assert isinstance(message, Message)
    cited = OutputText(text="A", annotations=(CITATION,))
    assert message.content == (cited, Refusal(refusal="No."), OutputText(text="B"))


def test_reasoning_then_text_then_a_call(builder: EventBuilder) -> None:
    """Each change of kind closes the item before; only calls stay open beside others."""
    events = builder.start() + builder.reasoning("Hm.") + builder.text("Well.") + builder.call(0, name="f")
    events = finished(builder, events)
    assert [item.item.id for item in only(events, ev.ItemDone)] == [item.item.id for item in only(events, ev.ItemAdded)]
    assert [type(item).__name__ for item in builder.response.output] == ["Reasoning", "Message", "FunctionCall"]


def test_raw_reasoning(builder: EventBuilder) -> None:
    """Raw reasoning is one content part of a reasoning item."""
    events = finished(builder, builder.start() + builder.reasoning("Let me ") + builder.reasoning("see."))
    assert kinds(events[3:-2]) == [
        "ContentPartAdded",
        "ReasoningDelta",
        "ReasoningDelta",
        "ReasoningDone",
        "ContentPartDone",
    ]
    (reasoning,) = builder.response.output
    assert reasoning == Reasoning(id=reasoning.id, status="completed", content=(ReasoningText(text="Let me see."),))


def test_summaries(builder: EventBuilder) -> None:
    """A summary has as many parts as the upstream began; each is closed before the next opens."""
    events = builder.start() + builder.reasoning_summary("One", new_part=True) + builder.reasoning_summary(" more.")
    events = finished(builder, events + builder.reasoning_summary("Two.", new_part=True))
    assert [(each.summary_index, each.text) for each in only(events, ev.SummaryDone)] == [(0, "One more."), (1, "Two.")]
    (reasoning,) = builder.response.output
    summary = (SummaryText(text="One more."), SummaryText(text="Two."))
    assert reasoning == Reasoning(id=reasoning.id, status="completed", summary=summary)


def test_raw_reasoning_beside_its_summary(builder: EventBuilder) -> None:
    """Raw reasoning and its summary may alternate within one item."""
    events = builder.start() + builder.reasoning("a") + builder.reasoning_summary("A") + builder.reasoning("b")
    finished(builder, events)
    (reasoning,) = builder.response.output
    assert isinstance(reasoning, Reasoning)
    assert (reasoning.content, reasoning.summary) == ((ReasoningText(text="ab"),), (SummaryText(text="A"),))


def test_sealed_reasoning(builder: EventBuilder) -> None:
    """A sealed copy joins the reasoning item that is open, or is one by itself."""
    events = builder.start() + builder.reasoning("Hm.") + builder.reasoning_sealed("c2Vh") + builder.text("Well.")
    finished(builder, events + builder.reasoning_sealed("bGVk"))
    first, _, last = builder.response.output
    assert isinstance(first, Reasoning)
    assert (first.content, first.encrypted_content) == ((ReasoningText(text="Hm."),), "c2Vh")
    assert last == Reasoning(id=last.id, status="completed", encrypted_content="bGVk")


def test_the_id_of_reasoning(builder: EventBuilder) -> None:
    """Reasoning keeps the upstream's id, which seals it, unless an item has that id already."""
    events = builder.start() + builder.reasoning_begins("rs_1") + builder.reasoning("a") + builder.end_item()
    finished(builder, events + builder.reasoning_begins("rs_1") + builder.reasoning("b"))
    first, second = builder.response.output
    assert first.id == "rs_1"
    assert second.id != "rs_1"


def test_two_messages(builder: EventBuilder) -> None:
    """What follows the end of an item is an item of its own, even of the same kind."""
    finished(builder, builder.start() + builder.text("A") + builder.end_item() + builder.text("B"))
    assert [item.text for item in builder.response.output if isinstance(item, Message)] == ["A", "B"]


def test_a_whole_item(builder: EventBuilder) -> None:
    """An item that is whole already is added and done at once, in its turn."""
    receipt = FunctionCallOutput(id="fco_1", call_id="call_1", output="Rain")
    events = finished(builder, builder.start() + builder.text("A") + builder.item(receipt) + builder.text("B"))
    assert [event.item for event in only(events, ev.ItemDone)][1] == receipt
    assert builder.response.output[1] == receipt


def test_output_so_far(builder: EventBuilder) -> None:
    """The output holds open items as they were announced, and closed ones whole."""
    builder.start()
    builder.text("A")
    (message,) = builder.output
    assert message == Message(id=message.id, role="assistant", status="in_progress", content=())
    builder.close_items()
    assert builder.output == (Message(id=message.id, role="assistant", content=(OutputText(text="A"),)),)
