"""What a run's spans say, and how they hang together."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.trace import SpanKind, StatusCode
from tests.runner.fakes import (
    HANG,
    FakeProvider,
    FakeProviders,
    SteppedProvider,
    answer,
    catalog,
    drain,
    question,
    wants,
)
from tests.telemetry.collected import CAPTURE, Collected, parent_of

from agentbench.config import Endpoint, Secret
from agentbench.config.settings import Titles
from agentbench.errors import UpstreamRateLimited
from agentbench.protocol import Usage
from agentbench.protocol.request import JsonObjectFormat, TextConfig
from agentbench.runner import Runner, Turn
from agentbench.runner.tools import tool
from agentbench.storage import conversations

if TYPE_CHECKING:
    from agentbench.config import Catalog
    from agentbench.runner import Run
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
SECRET = "sk-abcdef0123456789"
QUESTION, ANSWER, CITY = "Whither the gulls?", "Over the harbour.", "Reykjavik"
USAGE = Usage.of(12, 5, cached=8, cache_write=2, reasoning=3)


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    if city == "Atlantis":
        raise KeyError(city)
    return f"Rain in {city}."


def known(**fields: Any) -> Catalog:
    """Return a catalog of one endpoint with a key, and a bot that answers from it."""
    titles = fields.pop("titles", Titles(enabled=False))
    return catalog(
        Endpoint(
            name="fake",
            provider="openai_chat",
            base_url="https://api.groq.com/openai/v1",
            api_key=Secret(SECRET),
            models=("m",),
            titles=titles,
            **fields,
        )
    )


class Asked:
    """A runner whose telemetry is collected."""

    def __init__(self, provider: FakeProvider, database: Database, collected: Collected, **environ: str) -> None:
        providers: Any = FakeProviders(provider)
        self.runner = Runner(known(), providers, database, telemetry=collected.telemetry(**environ))

    def run(self, **fields: Any) -> Run:
        """Start a turn of the bot's."""
        given = {name: fields.pop(name) for name in ("conversation",) if name in fields}
        asked = question(QUESTION, **fields)
        return self.runner.start(Turn(request=asked, agent="bot", **given), tools=[weather])


def replies(*texts: str) -> FakeProvider:
    """Return an upstream that says these texts and counts them."""
    return FakeProvider(*texts, lambda builder: builder.usage(USAGE))


async def test_turn_holds_its_call(database: Database, collected: Collected) -> None:
    """A turn is `invoke_agent NAME` inside the kernel, its upstream call a client's `chat MODEL` under it."""
    await answer(Asked(replies(ANSWER), database, collected).run())
    turn, call = collected.span("invoke_agent Bot"), collected.span("chat m")
    assert (turn.kind, call.kind) == (SpanKind.INTERNAL, SpanKind.CLIENT)
    assert (parent_of(turn), parent_of(call)) == (None, turn.context.span_id)


async def test_call_says_who_was_asked_how(database: Database, collected: Collected) -> None:
    """A call names the provider, the server, the model, and the parameters that were set."""
    asked = Asked(replies(ANSWER), database, collected)
    run = asked.run(temperature=0.5, top_p=0.9, max_output_tokens=64, seed=7, stop=("END",))
    json = TextConfig(format=JsonObjectFormat())
    run.turn = msgspec.structs.replace(run.turn, request=msgspec.structs.replace(run.turn.request, text=json))
    await answer(run)
    told = dict(collected.span("chat m").attributes or {})
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "groq",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 64,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.output.type": "json",
        "server.address": "api.groq.com",
        "server.port": 443,
        "agentbench.endpoint": "fake",
    }.items() <= told.items()


async def test_call_says_how_it_went(database: Database, collected: Collected) -> None:
    """A call tells why it ended, its tokens of each kind, and when its first chunk came."""
    response = await answer(Asked(replies(ANSWER), database, collected).run())
    told = dict(collected.span("chat m").attributes or {})
    assert {
        "gen_ai.response.id": response.id,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 8,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.reasoning.output_tokens": 3,
    }.items() <= told.items()
    assert 0 < told["gen_ai.response.time_to_first_chunk"] < 5


async def test_turn_says_who_answers(database: Database, collected: Collected) -> None:
    """A turn names its agent and how it went; tokens are its calls', lest they be counted twice."""
    await answer(Asked(replies(ANSWER), database, collected).run())
    told = dict(collected.span("invoke_agent Bot").attributes or {})
    assert {
        "gen_ai.agent.id": "bot",
        "gen_ai.agent.name": "Bot",
        "gen_ai.operation.name": "invoke_agent",
        "agentbench.status": "completed",
        "agentbench.context": "message",
    }.items() <= told.items()
    assert "gen_ai.usage.input_tokens" not in told


async def test_names_are_the_conventions(database: Database, collected: Collected) -> None:
    """Every `gen_ai` attribute is one that the conventions know."""
    provider = SteppedProvider([wants("weather", city="Atlantis")], [ANSWER])
    await answer(Asked(provider, database, collected, **{CAPTURE: "span_only"}).run())
    theirs = {value for name, value in vars(gen_ai_attributes).items() if name.startswith("GEN_AI_")}
    told = {name for span in collected.spans for name in span.attributes or {}}
    assert {name for name in told if name.startswith("gen_ai.")} - theirs == set()
    assert {name.partition(".")[0] for name in told} == {"gen_ai", "agentbench", "server", "error"}


async def test_tool_is_part_of_the_turn(database: Database, collected: Collected) -> None:
    """A tool that runs is `execute_tool NAME` beside the two calls of its turn; the first says that it wanted one."""
    provider = SteppedProvider([wants("weather", city=CITY)], [ANSWER])
    response = await answer(Asked(provider, database, collected).run())
    turn, ran = collected.span("invoke_agent Bot"), collected.span("execute_tool weather")
    assert collected.names == ["chat m", "execute_tool weather", "chat m", "invoke_agent Bot"]
    assert [turn.context.span_id] * 3 == [parent_of(span) for span in collected.spans[:3]]
    assert (collected.spans[0].attributes or {})["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert response.function_calls[0].call_id == (ran.attributes or {})["gen_ai.tool.call.id"]


async def test_tool_that_raises_is_an_error(database: Database, collected: Collected) -> None:
    """A tool that raises marks its own span with the class, and no word of what it said; the turn goes well."""
    provider = SteppedProvider([wants("weather", city="Atlantis")], [ANSWER])
    await answer(Asked(provider, database, collected).run())
    ran, turn = collected.span("execute_tool weather"), collected.span("invoke_agent Bot")
    assert (ran.status.status_code, ran.status.description) == (StatusCode.ERROR, None)
    assert (ran.attributes or {})["error.type"] == "KeyError"
    assert turn.status.status_code == StatusCode.UNSET


async def test_tools_own_spans_are_its_children(database: Database, collected: Collected) -> None:
    """What a tool itself traces lies under its span, though the tool runs on another thread."""

    @tool
    def look() -> str:
        """Look."""
        with collected.traces.get_tracer("mine").start_as_current_span("inner"):
            return "seen"

    provider = SteppedProvider([wants("look")], [ANSWER])
    runner = Asked(provider, database, collected).runner
    await answer(runner.start(Turn(request=question()), tools=[look]))
    assert collected.span("execute_tool look").context.span_id == parent_of(collected.span("inner"))


async def test_refused_call_is_an_error(database: Database, collected: Collected) -> None:
    """A call that is refused ends as an error with its class and a message without the key, and so does its turn."""
    refusal = UpstreamRateLimited(f"Too much from {SECRET}.", endpoint="fake")
    run = Asked(FakeProvider(refusals=(refusal,)), database, collected).run()
    with pytest.raises(UpstreamRateLimited):
        await drain(run)
    assert collected.names == ["chat m", "invoke_agent Bot"]
    for span in collected.spans:
        assert span.status.status_code == StatusCode.ERROR
        assert refusal.code == (span.attributes or {})["error.type"]
        assert span.status.description == "Too much from ****."


async def test_failure_within_the_answer_is_an_error(database: Database, collected: Collected) -> None:
    """A stream that breaks off marks the call and the turn."""
    broken = UpstreamRateLimited("It fell over.", endpoint="fake")
    response = await answer(Asked(FakeProvider("Half", broken), database, collected).run())
    assert response.status == "failed"
    assert [(span.attributes or {})["gen_ai.response.finish_reasons"] for span in collected.spans] == [("error",)] * 2
    assert [span.status.description for span in collected.spans] == ["It fell over."] * 2


async def test_cut_answer_is_no_error(database: Database, collected: Collected) -> None:
    """An answer that is cut short says why."""
    provider = FakeProvider("Half", lambda builder: builder.cut("max_output_tokens"))
    await answer(Asked(provider, database, collected).run())
    call, turn = collected.spans
    assert (call.attributes or {})["gen_ai.response.finish_reasons"] == ("length",)
    assert ((turn.attributes or {})["agentbench.status"], turn.status.status_code) == ("incomplete", StatusCode.UNSET)


async def test_spans_end_with_their_reader(database: Database, collected: Collected) -> None:
    """Both spans end once when the reader is gone in the middle."""
    run = Asked(FakeProvider("one ", HANG), database, collected).run()
    async with aclosing(run.events()) as batches:
        await anext(batches)
    assert collected.names == ["chat m", "invoke_agent Bot"]
    assert (collected.spans[1].attributes or {})["agentbench.status"] == "incomplete"


async def test_spans_end_when_cancelled(database: Database, collected: Collected) -> None:
    """Both spans end once when the task is cancelled while the upstream is silent."""
    provider = FakeProvider("one ", HANG)
    run = Asked(provider, database, collected).run()
    async with anyio.create_task_group() as group:
        group.start_soon(drain, run)
        await provider.hung.acquire()
        group.cancel_scope.cancel()
    assert collected.names == ["chat m", "invoke_agent Bot"]


async def test_spans_end_when_stopped(database: Database, collected: Collected) -> None:
    """A stopped answer's spans end, as no error."""
    provider = FakeProvider("one ", HANG)
    run = Asked(provider, database, collected).run()
    async with anyio.create_task_group() as group:
        group.start_soon(drain, run)
        await provider.hung.acquire()
        run.stop()
    assert collected.names == ["chat m", "invoke_agent Bot"]
    assert {StatusCode.UNSET} == {span.status.status_code for span in collected.spans}


async def test_quoted_turn_leaves_no_span(database: Database, collected: Collected) -> None:
    """A run that is only planned opens nothing."""
    await Asked(replies(ANSWER), database, collected).run().planned()
    assert collected.names == []


async def test_current_span_is_the_parent(database: Database, collected: Collected) -> None:
    """A turn that starts within a span is its child."""
    asked = Asked(replies(ANSWER), database, collected)
    with trace.use_span(collected.traces.get_tracer("mine").start_span("cell"), end_on_exit=True) as cell:
        run = asked.run()
    await answer(run)
    assert cell.get_span_context().span_id == parent_of(collected.span("invoke_agent Bot"))


async def test_title_is_a_call_of_the_turns_trace(database: Database, collected: Collected) -> None:
    """The call for a title is a `chat` under its turn, told apart by its context."""
    asked = Asked(replies(ANSWER), database, collected)
    asked.runner.use(known(titles=Titles(enabled=True)))
    conversation = (await database.write(partial(conversations.create, user="kernel"))).id
    await answer(asked.run(conversation=conversation))
    await asked.runner.titles.settled()
    turn = collected.span("invoke_agent Bot")
    (title,) = [span for span in collected.spans if (span.attributes or {})["agentbench.context"] == "title"]
    assert title.name == "chat m"
    assert turn.context.span_id == parent_of(title)
    assert conversation == (turn.attributes or {})["gen_ai.conversation.id"]


async def test_nothing_said_is_told_by_default(database: Database, collected: Collected) -> None:
    """No word of a question, an answer, instructions, or a tool's arguments and result is in anything that goes out."""
    provider = SteppedProvider([wants("weather", city=CITY)], [ANSWER])
    await answer(Asked(provider, database, collected).run(instructions="Speak of gulls."))
    told = collected.told()
    assert "execute_tool weather" in told
    assert [word for word in ("gulls", "Whither", "harbour", CITY, "Rain in", SECRET) if word in told] == []


async def test_content_goes_out_on_request(database: Database, collected: Collected) -> None:
    """Where content is asked for, a call's span holds the messages in the conventions' form, keys masked."""
    asked = Asked(FakeProvider(f"Use {SECRET}."), database, collected, **{CAPTURE: "SPAN_ONLY"})
    await answer(asked.run(instructions="Be brief."))
    told = dict(collected.span("chat m").attributes or {})
    sent, came = (msgspec.json.decode(told[f"gen_ai.{name}.messages"]) for name in ("input", "output"))
    assert sent == [{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]
    assert came == [{"role": "assistant", "parts": [{"type": "text", "content": "Use ****."}], "finish_reason": "stop"}]
    assert told["gen_ai.system_instructions"] == '[{"type":"text","content":"Be brief."}]'


@pytest.mark.parametrize(("value", "places"), [("true", (1, 0)), ("event_only", (0, 1)), ("span_and_event", (1, 1))])
async def test_content_goes_where_it_is_asked_for(
    value: str, places: tuple[int, int], database: Database, collected: Collected
) -> None:
    """Content goes onto spans, into events, or both."""
    await answer(Asked(replies(ANSWER), database, collected, **{CAPTURE: value}).run())
    call = collected.span("chat m")
    assert places == ("gen_ai.input.messages" in (call.attributes or {}), len(call.events))
    assert all("gen_ai.output.messages" in (event.attributes or {}) for event in call.events)


async def test_tools_content_goes_out_on_request(database: Database, collected: Collected) -> None:
    """Where content is asked for, a tool's span holds its arguments and its result, and the next call has both too."""
    provider = SteppedProvider([wants("weather", city=CITY)], [ANSWER])
    await answer(Asked(provider, database, collected, **{CAPTURE: "true"}).run())
    told = dict(collected.span("execute_tool weather").attributes or {})
    assert msgspec.json.decode(told["gen_ai.tool.call.arguments"]) == {"city": CITY}
    assert f"Rain in {CITY}." == told["gen_ai.tool.call.result"]
    sent = msgspec.json.decode((collected.spans[2].attributes or {})["gen_ai.input.messages"])
    assert [each["parts"][0]["type"] for each in sent] == ["text", "tool_call", "tool_call_response"]


async def test_calls_are_measured(database: Database, collected: Collected) -> None:
    """A call's tokens by kind, its duration and its first chunk are histograms."""
    await answer(Asked(replies(ANSWER), database, collected).run())
    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum for point in collected.points("gen_ai.client.token.usage")
    }
    (duration,) = collected.points("gen_ai.client.operation.duration")
    (first,) = collected.points("gen_ai.client.operation.time_to_first_chunk")
    assert tokens == {"input": 12, "output": 5}
    assert 0 < first.sum <= duration.sum < 5
    assert {"chat", "groq", "m", "api.groq.com", 443} == set(duration.attributes.values())


async def test_failed_calls_are_measured(database: Database, collected: Collected) -> None:
    """A failed call's duration names the class of its error."""
    refusal = UpstreamRateLimited("Too much.", endpoint="fake")
    with pytest.raises(UpstreamRateLimited):
        await drain(Asked(FakeProvider(refusals=(refusal,)), database, collected).run())
    (point,) = collected.points("gen_ai.client.operation.duration")
    assert refusal.code == point.attributes["error.type"]
