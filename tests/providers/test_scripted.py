"""Scripts played as if a model had said them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.grammar import check_grammar
from tests.providers.replay import Told, told

from agentbench.config import Endpoint, script
from agentbench.errors import UnknownName
from agentbench.protocol import CreateResponse, EventBuilder, collect, draft
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, assistant_message, user_message
from agentbench.providers.base import play
from agentbench.providers.scripted import Scripted

if TYPE_CHECKING:
    from agentbench.protocol import Event, InputItem

pytestmark = pytest.mark.anyio


def endpoint(steps: Any) -> Endpoint:
    """Return an endpoint whose model `demo` plays a script."""
    return Endpoint(name="scripted", provider="scripted", models=("demo",), scripts={"demo": script(steps)})


async def events(steps: Any, *items: InputItem, model: str = "demo") -> list[Event]:
    """Return the events of one played request, once they have passed the grammar."""
    request = CreateResponse(model=model, input=items or (user_message("Hi"),))
    builder = EventBuilder(draft(request, model=model))
    made = builder.start()
    async for batch in play(Scripted(), request, endpoint(steps), builder):
        made += batch
    made += builder.finish()
    check_grammar(made)
    return made


async def test_every_step() -> None:
    """Each kind of step says its part."""
    steps = [
        {"reasoning": "Two things."},
        {"text": "I look."},
        {"call": {"name": "look", "arguments": {"city": "서울"}}},
        {"call": {"name": "now"}},
        {"refusal": "No more."},
        {"wait": 0.001},
        {"usage": {"input_tokens": 9, "output_tokens": 4, "cached_tokens": 3, "reasoning_tokens": 2}},
    ]
    assert told(collect(await events(steps))) == Told(
        text="I look.",
        thought="Two things.",
        refusal="No more.",
        calls=(("look", '{"city":"서울"}'), ("now", "{}")),
        usage=(9, 4, 3, 2),
    )


async def test_text_comes_in_words() -> None:
    """Text comes a word at a time, and every space is kept."""
    said = "  한 word,\n\nthen\tmore \n"
    deltas = [event.delta for event in await events([{"text": said}]) if isinstance(event, ev.TextDelta)]
    assert (len(deltas), "".join(deltas)) == (5, said)


@pytest.mark.parametrize(
    ("step", "status", "why"),
    [
        ({"finish": "stop"}, "completed", None),
        ({"finish": "length"}, "incomplete", "max_output_tokens"),
        ({"finish": "content_filter"}, "incomplete", "content_filter"),
        ({"error": "Boom"}, "failed", "Boom"),
    ],
)
async def test_endings(step: dict[str, str], status: str, why: str | None) -> None:
    """A script may end like any upstream."""
    answer = told(collect(await events([{"text": "a"}, step])))
    assert (answer.status, answer.text, answer.why) == (status, "a", why)


async def test_nothing_after_an_error() -> None:
    """An error is the last step that is played."""
    assert collect(await events([{"error": "Boom"}, {"text": "a"}])).output_text == ""


async def test_turns() -> None:
    """The turn is the number of answers so far; the last turn is played again and again."""
    steps = {"turns": [[{"text": "one"}], [{"text": "two"}]]}
    asked = [user_message("Hi"), assistant_message("x"), user_message("Hi"), assistant_message("x"), user_message("Hi")]
    said = [collect(await events(steps, *asked[:length])).output_text for length in (1, 3, 5)]
    assert said == ["one", "two", "two"]


async def test_turn_after_calls() -> None:
    """A turn that only calls functions counts once, however many they are: so a tool loop comes to its end."""
    steps = {"turns": [[{"call": {"name": "look"}}], [{"text": "done"}], [{"text": "too far"}]]}
    calls = [FunctionCall(id=f"fc_{n}", call_id=f"c{n}", name="look", arguments="{}") for n in (1, 2)]
    outputs = [FunctionCallOutput(id=f"fco_{n}", call_id=f"c{n}", output="x") for n in (1, 2)]
    answer = collect(await events(steps, user_message("Hi"), *calls, *outputs))
    assert answer.output_text == "done"


async def test_unknown_script() -> None:
    """An unknown script is named, and the nearest known one with it."""
    with pytest.raises(UnknownName, match="There is no script 'dmo'") as caught:
        await events([{"text": "a"}], model="dmo")
    assert caught.value.param == "model"


async def test_models() -> None:
    """The scripts are the models."""
    assert await Scripted().models(endpoint([{"text": "a"}])) == ("demo",)
