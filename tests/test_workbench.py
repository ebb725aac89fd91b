"""The workbench in use: asking, conversations, usage."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, FakeProvider, kinds, text_of

from agentbench import Stream, Workbench
from agentbench.errors import (
    AnswerFailed,
    InvalidRequest,
    PreviousNotFound,
    UnknownName,
    UpstreamRefused,
    UpstreamUnavailable,
)
from agentbench.protocol import Usage
from agentbench.protocol.request import FunctionTool, JsonSchemaFormat
from agentbench.runner import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.protocol import CreateResponse, EventBuilder

    Put = Callable[[FakeProvider], FakeProvider]

SLOW = [{"text": "one"}, {"wait": 60}, {"text": "two"}]
CONFIG = {
    "endpoints": {"scripted": {"models": {"m": [{"text": "one two three"}], "slow": SLOW}}},
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "m", "instructions": "Be kind."},
        {"id": "sage", "endpoint": "scripted", "model": "slow"},
    ],
}


@dataclass
class City:
    """A shape to answer in."""

    name: str


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as notebooks do."""
    return "asyncio"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of two agents."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def upstream(bench: Workbench) -> Put:
    """Return a function that puts a fake in place of the scripts."""

    def put(provider: FakeProvider) -> FakeProvider:
        made: Any = bench._providers._made
        made["scripted"] = provider
        return provider

    return put


def said(request: CreateResponse) -> list[str]:
    """Return the texts of a request's messages."""
    return [item.text for item in request.input if hasattr(item, "text")]


# -- asking ---------------------------------------------------------------------------------------------------------


def test_ask(bench: Workbench) -> None:
    """The whole answer, of the first agent if none is named."""
    response = bench.ask("Hi")
    assert (response.status, response.output_text) == ("completed", "one two three")


def test_what_the_provider_gets(bench: Workbench, upstream: Put) -> None:
    """The agent's part, the caller's, and what stands alone."""
    provider = upstream(FakeProvider())
    bench.ask("Hi", agent="bot", instructions="In verse.", temperature=0.5, max_output_tokens=9, seed=7)
    (request,) = provider.requests
    assert (request.model, said(request), request.instructions) == ("m", ["Hi"], "Be kind.\n\nIn verse.")
    assert (request.temperature, request.max_output_tokens, request.seed) == (0.5, 9, 7)
    assert request.truncation == "auto"


def test_a_model(bench: Workbench, upstream: Put) -> None:
    """It goes before the agent's; who answers is still the agent, named or not."""
    provider = upstream(FakeProvider())
    bench.ask("Hi", agent="bot", model="scripted/slow")
    bench.ask("Hi", model="scripted/m")
    said = bench.catalog.default_agent.instructions
    assert [(each.model, each.instructions) for each in provider.requests] == [("slow", "Be kind."), ("m", said)]
    assert bench.usage()["agent"].tolist() == ["bot", bench.catalog.default_agent.id]


def test_images(bench: Workbench, upstream: Put) -> None:
    """They follow the text."""
    provider = upstream(FakeProvider())
    bench.ask("What is it?", images=["https://example.org/a.png", "data:image/png;base64,AA=="])
    (message,) = provider.requests[0].input
    parts = [getattr(part, "image_url", None) for part in getattr(message, "content", ())]
    assert parts == [None, "https://example.org/a.png", "data:image/png;base64,AA=="]


def test_a_schema(bench: Workbench, upstream: Put) -> None:
    """A class becomes the form that the answer must have."""
    provider = upstream(FakeProvider())
    bench.ask("Which?", schema=City)
    form = provider.requests[0].text.format
    assert isinstance(form, JsonSchemaFormat)
    assert form.schema is not None
    assert form.schema["required"] == ["name"]


def test_tools(bench: Workbench, upstream: Put) -> None:
    """They may be values or what JSON would hold."""
    provider = upstream(FakeProvider())
    bench.ask("Hi", tools=[FunctionTool(name="f"), {"type": "function", "name": "g"}])
    assert provider.requests[0].tools == (FunctionTool(name="f"), FunctionTool(name="g"))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_question(bench: Workbench, text: str) -> None:
    """It is refused before anything starts."""
    with pytest.raises(InvalidRequest, match="question is empty"):
        bench.ask(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temprature": 1}, "There is no parameter 'temprature'. Did you mean 'temperature'?"),
        ({"temperature": "hot"}, "temperature: Expected `float | null`, got `str`."),
        ({"temperature": 3}, "temperature: Expected `float` <= 2.0."),
        ({"agent": "bott"}, "There is no agent 'bott'. Did you mean 'bot'?"),
        ({"model": "scripted/n"}, "There is no model 'scripted/n'. Did you mean 'scripted/m'?"),
        ({"conversation": "conv_no"}, "There is no conversation 'conv_no'."),
        ({"schema": 5}, "5 is not a schema. Give a dict, a pydantic model, a dataclass or a TypedDict."),
    ],
)
def test_a_bad_option(bench: Workbench, options: dict[str, Any], message: str) -> None:
    """It is named, with the nearest that there is."""
    with pytest.raises(InvalidRequest) as caught:
        bench.ask("Hi", **options)
    assert caught.value.message == message


def test_an_error_before_the_answer(bench: Workbench, upstream: Put) -> None:
    """It is raised as it is."""
    upstream(FakeProvider(refusals=(UpstreamRefused("A wrong key."),)))
    with pytest.raises(UpstreamRefused, match="A wrong key"):
        bench.ask("Hi")


def test_an_answer_that_breaks_off(bench: Workbench, upstream: Put) -> None:
    """The error carries what came."""
    upstream(FakeProvider("Well, ", UpstreamUnavailable("The line is dead.")))
    with pytest.raises(AnswerFailed, match="The line is dead") as caught:
        bench.ask("Hi")
    assert caught.value.response.output_text == "Well, "


# -- streams --------------------------------------------------------------------------------------------------------


def test_stream(bench: Workbench) -> None:
    """Its events tell the answer, and at their end the response is whole."""
    stream = bench.stream("Hi")
    events = list(stream)
    assert (kinds(events)[0], kinds(events)[-1]) == ("created", "completed")
    assert text_of(events) == stream.response.output_text == "one two three"
    assert stream.read() is None


@pytest.mark.anyio
async def test_stream_within_an_event_loop(bench: Workbench) -> None:
    """With `async for`, while other tasks go on; or plainly."""
    stream, other = bench.stream("Hi"), bench.stream("Hi")
    assert text_of([event async for event in stream]) == "one two three"
    assert text_of(list(other)) == "one two three"
    assert await stream.aread() is None


def begun(stream: Stream) -> Stream:
    """Read up to the first piece of text."""
    while not text_of(stream.read(5) or []):
        pass
    return stream


def test_leaving_a_stream(bench: Workbench, upstream: Put) -> None:
    """A loop that is left closes the upstream; the answer so far is kept."""
    provider = upstream(FakeProvider("one ", HANG))
    stream = bench.stream("Hi")
    for event in stream:
        if text_of([event]):
            break
    stream.close()
    assert (provider.opened, provider.closed) == (1, 1)
    assert (stream.response.status, stream.response.output_text) == ("incomplete", "one ")
    assert bench.usage()["status"].tolist() == ["incomplete"]


@pytest.mark.anyio
async def test_cancelling_a_reader(bench: Workbench, upstream: Put) -> None:
    """A task that reads may be cancelled; the upstream is closed."""
    provider = upstream(FakeProvider("one ", HANG))

    async def read() -> None:
        async for _ in bench.stream("Hi"):
            pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (provider.opened, provider.closed) == (1, 1)


def test_stop(bench: Workbench) -> None:
    """The stream ends whole, with what came."""
    stream = begun(bench.stream("Hi", agent="sage"))
    stream.stop()
    rest = list(stream)
    assert kinds(rest)[-1] == "incomplete"
    assert stream.response.output_text == "one"
    stream.stop()


def test_read_with_a_timeout(bench: Workbench) -> None:
    """It raises when nothing comes, and nothing is lost."""
    stream = begun(bench.stream("Hi", agent="sage"))
    with pytest.raises(TimeoutError):
        stream.read(0.01)
    stream.close()


def test_many_threads(bench: Workbench) -> None:
    """Each gets its own answer, and each has its row."""
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(bench.ask, ["Hi"] * 24))
    assert {response.output_text for response in responses} == {"one two three"}
    assert len({response.id for response in responses}) == len(bench.usage()) == 24


# -- conversations --------------------------------------------------------------------------------------------------


def test_a_conversation(bench: Workbench, upstream: Put) -> None:
    """It goes on from turn to turn, by its value or its id, and lists them."""
    provider = upstream(FakeProvider("Aha."))
    conversation = bench.start_conversation("A talk", agent="bot")
    bench.ask("q1", conversation=conversation)
    bench.ask("q2", conversation=conversation.id)
    assert said(provider.requests[-1]) == ["q1", "Aha.", "q2"]
    assert [turn.response.output_text for turn in bench.turns(conversation)] == ["Aha.", "Aha."]
    assert bench.turns(conversation.id) == bench.turns(conversation)


def test_conversations_are_kept(bench: Workbench) -> None:
    """Another workbench of the same home goes on with them."""
    conversation = bench.start_conversation("A talk")
    answer = bench.ask("q1", conversation=conversation)
    bench.rename(conversation, "The talk")
    with Workbench(CONFIG) as other:
        (found,) = other.conversations()
        assert (found.id, found.title, found.head) == (conversation.id, "The talk", answer.id)
        assert [turn.response for turn in other.turns(found)] == [answer]


def test_the_newest_conversation_comes_first(bench: Workbench) -> None:
    """At most so many as were asked for."""
    made = [bench.start_conversation(str(number)) for number in range(3)]
    bench.ask("q1", conversation=made[0])
    assert [each.title for each in bench.conversations(2)] == ["0", "2"]


def test_a_conversation_that_is_not_there(bench: Workbench) -> None:
    """It is None, and can't be read or renamed; a new one has no turns."""
    assert bench.conversation("conv_no") is None
    assert bench.turns(bench.start_conversation()) == ()
    with pytest.raises(UnknownName, match="There is no conversation 'conv_no'"):
        bench.turns("conv_no")
    with pytest.raises(UnknownName, match="There is no conversation 'conv_no'"):
        bench.rename("conv_no", "A title")


def test_previous(bench: Workbench, upstream: Put) -> None:
    """A response or its id is what an answer follows."""
    provider = upstream(FakeProvider("Aha."))
    first = bench.ask("q1")
    second = bench.ask("q2", previous=first)
    bench.ask("q3", previous=second.id)
    assert said(provider.requests[-1]) == ["q1", "Aha.", "q2", "Aha.", "q3"]
    with pytest.raises(PreviousNotFound):
        bench.ask("q4", previous="resp_no")


# -- usage and models -----------------------------------------------------------------------------------------------


def spend(builder: EventBuilder) -> None:
    """Report what was used."""
    builder.usage(Usage.of(11, 7))


def test_no_usage(bench: Workbench) -> None:
    """An empty ledger has its columns, with their dtypes."""
    frame = bench.usage()
    dtypes = {name: str(frame.dtypes[name]) for name in ("time", "input_tokens", "cost", "model", "id")}
    expected = {"time": "datetime64[us, UTC]", "input_tokens": "Int64", "cost": "Float64", "model": "category"}
    assert dtypes == expected | {"id": "string"}
    assert list(bench.usage(by="model")["calls"]) == []


def test_usage(bench: Workbench, upstream: Put) -> None:
    """One row a call: who, where, how many."""
    upstream(FakeProvider("Aha.", spend))
    response = bench.ask("Hi", cell=Cell(id="cell1", run="run1", execution_count=3))
    (row,) = bench.usage().to_dict("records")
    assert (row["response_id"], row["cell_id"], row["execution_count"]) == (response.id, "cell1", 3)
    assert (row["agent"], row["endpoint"], row["model"], row["context"]) == ("bot", "scripted", "m", "message")
    assert (row["input_tokens"], row["output_tokens"], row["cost"], row["status"]) == (11, 7, 0.0, "completed")


def test_usage_by(bench: Workbench, upstream: Put) -> None:
    """Summed up by one column or several."""
    upstream(FakeProvider("Aha.", spend))
    for agent in ("bot", "bot", "sage"):
        bench.ask("Hi", agent=agent)
    by_agent = bench.usage(by="agent").set_index("agent")
    assert by_agent["calls"].to_dict() == {"bot": 2, "sage": 1}
    assert by_agent["input_tokens"].to_dict() == {"bot": 22, "sage": 11}
    assert len(bench.usage(by=["agent", "model", "status"])) == 2


def test_usage_since(bench: Workbench) -> None:
    """Only calls from that moment on."""
    bench.ask("Hi")
    assert [len(bench.usage(since=since)) for since in ("1h", "today", "2999-01-01", "0s")] == [1, 1, 0, 0]


def test_the_tail_of_the_ledger(bench: Workbench) -> None:
    """It knows the calls that `usage` would choose, and by polling those that came since."""
    bench.ask("Hi")
    tail, others = bench.ledger_tail(agent="bot"), bench.ledger_tail(agent="sage")
    bench.ask("And?")
    assert [len(each.poll() or ()) for each in (tail, others)] == [1, 0]
    assert [call.id for call in tail.calls] == bench.usage()["id"].tolist()


@pytest.mark.parametrize("options", [{"by": "modle"}, {"by": ["model", "cost"]}, {"since": "yesterday"}])
def test_bad_usage(bench: Workbench, options: dict[str, Any]) -> None:
    """What can't be grouped by, or isn't a time, is refused also on an empty ledger."""
    with pytest.raises(InvalidRequest):
        bench.usage(**options)


def test_models(bench: Workbench) -> None:
    """An endpoint is asked what it offers now."""
    assert bench.models("scripted") == ("m", "slow")
    with pytest.raises(UnknownName, match="Did you mean 'scripted'"):
        bench.models("scriptd")
