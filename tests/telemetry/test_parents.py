"""Whose trace a turn belongs to: the cell's, the caller's, or its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from opentelemetry import trace
from tests.telemetry.collected import parent_of

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.telemetry.collected import Collected

CONFIG = {
    "endpoints": {"scripted": {"models": {"m": [{"text": "hi"}]}}},
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BODY = {"model": "bot", "input": "Hello?"}


@pytest.fixture
def bench(collected: Collected) -> Iterator[Workbench]:
    """Give a workbench whose telemetry is collected."""
    with Workbench(CONFIG) as bench:
        bench._runner.telemetry = collected.telemetry()
        yield bench


def test_cell_is_the_parent(bench: Workbench, collected: Collected) -> None:
    """What a cell asks within its span lies under it, though the turn runs on another thread."""
    with trace.use_span(collected.traces.get_tracer("mine").start_span("cell"), end_on_exit=True) as cell:
        bench.ask("Hello?", agent="bot")
    assert cell.get_span_context().span_id == parent_of(collected.span("invoke_agent bot"))


def test_cell_is_the_parent_through_the_gateway(bench: Workbench, collected: Collected) -> None:
    """So does what a client asks that reaches the gateway in this process."""
    span = collected.traces.get_tracer("mine").start_span("cell")
    with (
        httpx2.Client(transport=bench.transport(), base_url="http://here") as client,
        trace.use_span(span, end_on_exit=True) as cell,
    ):
        client.post("/api/agents/v1/responses", json=BODY).raise_for_status()
    assert cell.get_span_context().span_id == parent_of(collected.span("invoke_agent bot"))


def test_turns_side_by_side_are_strangers(bench: Workbench, collected: Collected) -> None:
    """A turn that begins while another runs is no part of it."""
    first, second = bench.stream("Hello?", agent="bot"), bench.stream("Hello?", agent="bot")
    for one in (first, second):
        assert list(one)
    assert [parent_of(span) for span in collected.spans if span.name == "invoke_agent bot"] == [None, None]


def test_callers_trace_goes_on(bench: Workbench, collected: Collected) -> None:
    """A served request's `traceparent` is its turn's parent; a request without one begins a trace of its own.

    The span in which the server was started has nothing to do with either.
    """
    with trace.use_span(collected.traces.get_tracer("mine").start_span("cell"), end_on_exit=True):
        server = bench.serve(port=0)
    key = bench.create_key("caller").secret.reveal()
    with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {key}"}) as client:
        for headers in ({"traceparent": f"00-{TRACE}-{CALLER}-01"}, {}):
            client.post("/api/agents/v1/responses", json=BODY, headers=headers).raise_for_status()
    followed, alone = (span for span in collected.spans if span.name == "invoke_agent bot")
    assert (int(TRACE, 16), int(CALLER, 16)) == (followed.context.trace_id, parent_of(followed))
    assert (parent_of(alone), alone.context.trace_id != followed.context.trace_id) == (None, True)
