"""An answer that isn't whole yet, as items."""

from __future__ import annotations

from agentbench.notebook.chat.partial import output_so_far
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning


def test_what_was_told_is_there() -> None:
    """At each moment the items have the text, the reasoning and the arguments that came; done ones are as they are."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start()
    assert output_so_far(events) == ()
    for piece in ("Hm", "m."):
        events += builder.reasoning(piece)
    (thought,) = output_so_far(events)
    assert isinstance(thought, Reasoning)
    assert thought.text == "Hmm."
    events += [*builder.text("It "), *builder.text("is"), *builder.refusal("No.")]
    done, said = output_so_far(events)
    assert isinstance(said, Message)
    assert (done.text, said.text, said.refusal) == ("Hmm.", "It is", "No.")  # type: ignore[union-attr]  # as above
    events += [*builder.call(0, name="add", call_id="c1", arguments='{"a"'), *builder.call(0, arguments=": 1")]
    call = output_so_far(events)[-1]
    assert isinstance(call, FunctionCall)
    assert (call.name, call.arguments) == ("add", '{"a": 1')
    events += builder.call(0, arguments="}")
    builder.stop()
    events += builder.next_call()
    events += builder.item(FunctionCallOutput(id="o1", call_id="c1", output="3"))
    assert output_so_far(events) == builder.output
