"""The spans of one run: its turn, each upstream call, each tool, and what is embedded on the way.

`invoke_agent` holds the others. Every span ends once, however the run does: a generator that is closed early, or whose
task is cancelled, passes its `finally` too.
"""

from __future__ import annotations

import re
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context

from agentbench.config.secret import without_keys
from agentbench.errors import AgentbenchError
from agentbench.protocol.items import FunctionCallOutput
from agentbench.telemetry.attributes import (
    agent_attributes,
    endpoint_attributes,
    error_type,
    finish_reason,
    request_attributes,
    usage_attributes,
)
from agentbench.telemetry.emitter import fail
from agentbench.telemetry.messages import arguments_json, input_json, instructions_json, output_json
from agentbench.telemetry.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    from agentbench.config.endpoint import Agent, Endpoint
    from agentbench.protocol import CreateResponse, Event, EventBuilder, Item
    from agentbench.protocol.items import FunctionCall
    from agentbench.telemetry.attributes import Attributes
    from agentbench.telemetry.emitter import Emitter, Measures

__all__ = ["SpanWatch", "called", "child"]

A = TypeVar("A")
_RAISED = re.compile(r"Error: ([A-Za-z_]\w*(?:Error|Exception)): ")
"""How a tool's result begins if it raised, which the model reads."""

_DETAILS = "gen_ai.client.inference.operation.details"


class SpanWatch(Watch):
    """Makes the spans of one run; those that are current where it is made are their parents.

    A run `beside` another, such as for its title, is a single call: it gets no `invoke_agent`.
    """

    def __init__(
        self,
        emitter: Emitter,
        endpoint: Endpoint,
        model: str,
        *,
        agent: Agent | None,
        conversation: str | None,
        context: str,
        beside: bool,
    ) -> None:
        self._emitter = emitter
        self._name = "" if agent is None else agent.name
        self._who = endpoint_attributes(endpoint, model) | agent_attributes(agent, conversation)
        self._who["agentbench.context"] = self._kind = context
        self._beside = beside
        self._context = contexts.get_current()
        self._builder: EventBuilder | None = None

    def turn(
        self, batches: AsyncGenerator[list[Event]], request: CreateResponse, builder: EventBuilder
    ) -> AsyncGenerator[list[Event]]:
        """Open `invoke_agent` when the first event is asked for."""
        self._builder = builder
        return batches if self._beside else self._turn(batches, request, builder)

    async def _turn(
        self, batches: AsyncGenerator[list[Event]], request: CreateResponse, builder: EventBuilder
    ) -> AsyncGenerator[list[Event]]:
        with self._emitter.span("invoke_agent", self._name, self._who, parent=self._context) as span:
            self._context = child(span, self._context)
            try:
                async with aclosing(batches):
                    async for batch in batches:
                        yield batch
            except Exception as error:
                self._fail(span, error)
                raise
            finally:
                self._end_turn(span, request, builder)

    async def call(
        self, batches: AsyncGenerator[list[Event]], request: CreateResponse, made: Callable[[], Sequence[Item]]
    ) -> AsyncGenerator[list[Event]]:
        """Open `chat`; its first chunk is the first that held an event."""
        about = self._who | request_attributes(request)
        with self._emitter.call("chat", about, parent=self._context) as (span, measures):
            try:
                async with aclosing(batches):
                    async for batch in batches:
                        if batch:
                            measures.note_piece()
                        yield batch
            except Exception as error:
                self._fail(span, error)
                raise
            finally:
                self._end_call(span, measures, request, made())

    async def tool(self, call: FunctionCall, result: Awaitable[str]) -> str:
        """Open `execute_tool`, current for what the tool itself does."""
        about: Attributes = {
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.type": "function",
        }
        with self._emitter.span("execute_tool", call.name, about, parent=self._context) as span:
            try:
                with _current(child(span, self._context)):
                    text = await result
            except Exception as error:
                self._fail(span, error)
                raise
            if text.startswith("Error: "):
                raised = _RAISED.match(text)
                fail(span, raised[1] if raised else "tool_error")
            if self._emitter.captures:
                arguments = msgspec.json.encode(arguments_json(call.arguments, self._mask)).decode()
                output = {"gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": self._mask(text)}
                self._tell(span, output)
            return text

    async def embedding(self, answer: Awaitable[A]) -> A:
        """Open `embeddings`, or `rerank`."""
        operation = "embeddings" if self._kind == "embedding" else self._kind
        with self._emitter.call(operation, self._who, parent=self._context) as (span, measures):
            try:
                answered = await answer
            except Exception as error:
                self._fail(span, error)
                raise
            measures.input_tokens = getattr(answered, "input_tokens", None)
            span.set_attributes(_embedding_attributes(answered))
            return answered

    def inside(self) -> AbstractContextManager[object]:
        """Make the turn's span current."""
        return _current(self._context)

    def _end_turn(self, span: Span, request: CreateResponse, builder: EventBuilder) -> None:
        response = builder.response
        span.set_attributes({"gen_ai.response.id": response.id, "agentbench.status": response.status})
        if (reason := finish_reason(builder, ())) is not None:
            span.set_attribute("gen_ai.response.finish_reasons", (reason,))
        if response.error is not None:
            fail(span, response.error.code, self._mask(response.error.message))
        if self._emitter.captures:
            self._tell(span, self._content(request, builder.output, reason))

    def _end_call(self, span: Span, measures: Measures, request: CreateResponse, made: Sequence[Item]) -> None:
        builder = self._builder
        if builder is None:
            return
        usage, reason, error = builder.call_usage, finish_reason(builder, made), builder.response.error
        if usage is not None:
            measures.input_tokens, measures.output_tokens = usage.input_tokens, usage.output_tokens
        span.set_attributes({"gen_ai.response.id": builder.response.id, **usage_attributes(usage)})
        if measures.first is not None:
            span.set_attribute("gen_ai.response.time_to_first_chunk", measures.first)
        if reason is not None:
            span.set_attribute("gen_ai.response.finish_reasons", (reason,))
        if error is not None:
            measures.error = error.code
            fail(span, error.code, self._mask(error.message))
        if self._emitter.captures:
            self._tell(span, self._content(request, made, reason))

    def _content(self, request: CreateResponse, made: Sequence[Item], reason: str | None) -> dict[str, str]:
        # A search of documents stands in the answer with its result, which is no word of the model's.
        said = [item for item in made if not isinstance(item, FunctionCallOutput)]
        out = {
            "gen_ai.input.messages": input_json(request.input, self._mask),
            "gen_ai.output.messages": output_json(said, reason, self._mask),
        }
        if request.instructions:
            out["gen_ai.system_instructions"] = instructions_json(request.instructions, self._mask)
        return out

    def _tell(self, span: Span, content: dict[str, str]) -> None:
        if "span" in self._emitter.captures:
            span.set_attributes(content)
        if "event" in self._emitter.captures:
            span.add_event(_DETAILS, content)

    def _fail(self, span: Span, error: Exception) -> None:
        message = error.message if isinstance(error, AgentbenchError) else None  # others' may hold anything
        fail(span, error_type(error), None if message is None else self._mask(message))

    def _mask(self, text: str) -> str:
        """Take out the endpoint's secrets and whatever looks like a key, and what no JSON can hold."""
        mask = without_keys if self._builder is None else self._builder.mask or without_keys
        return mask(text).encode(errors="replace").decode()


def child(span: Span, context: Context) -> Context:
    """Return a context whose spans are children of this one."""
    return trace.set_span_in_context(span, context)


def called(traceparent: str, tracestate: str, *, remote: bool) -> AbstractContextManager[object]:
    """Return a block in which a request's own trace holds: what it names, or none that it has nothing to do with.

    A server span that a program's own instrumentation has opened for it knows the trace already.
    """
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    current = contexts.get_current()
    if getattr(trace.get_current_span(current), "kind", None) is trace.SpanKind.SERVER:
        return _current(current)
    carrier = {"traceparent": traceparent, "tracestate": tracestate}
    # What was current where the server was started is nothing that a caller over HTTP belongs to.
    return _current(TraceContextTextMapPropagator().extract(carrier, Context() if remote else current))


@contextmanager
def _current(context: Context) -> Iterator[None]:
    token = contexts.attach(context)
    try:
        yield
    finally:
        contexts.detach(token)


def _embedding_attributes(answered: object) -> Attributes:
    out: Attributes = {}
    if (tokens := getattr(answered, "input_tokens", None)) is not None:
        out["gen_ai.usage.input_tokens"] = tokens
    if (vectors := getattr(answered, "vectors", None)) is not None:
        out["gen_ai.embeddings.dimension.count"] = vectors.shape[1]
    return out
