"""What the provider is asked: the request, its agent's part in it, and the past."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from tests.runner.fakes import catalog, question

from agentbench.config import Agent, ModelParameters
from agentbench.protocol import Response
from agentbench.protocol.items import assistant_message, user_message
from agentbench.runner.history import History
from agentbench.runner.merge import merged, with_past
from agentbench.runner.target import Target
from agentbench.storage.responses import StoredResponse

ENDPOINT = catalog().endpoints["fake"]
OWN = ModelParameters(temperature=0.5, top_p=0.9, max_output_tokens=99, presence_penalty=0.1, frequency_penalty=0.2)


def target(**fields: Any) -> Target:
    """Return an agent of these fields, on the model m."""
    agent = Agent(id="bot", name="Bot", **fields) if fields else None
    return Target(agent=agent, endpoint=ENDPOINT, model="m")


def stored(number: int) -> StoredResponse:
    """Return a turn of the past: one message in, one out."""
    said = assistant_message(f"answer {number}")
    return StoredResponse(
        response=Response(id=f"resp_{number}", created_at=0, model="m", status="completed", output=(said,)),
        input=(user_message(f"question {number}"),),
        user="ann",
        endpoint="fake",
        created_at=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("own", "asked", "expected"),
    [
        ("Be brief.", "In verse.", "Be brief.\n\nIn verse."),
        ("Be brief.", None, "Be brief."),
        (None, "In verse.", "In verse."),
        ("Be brief.", "", "Be brief."),
        (None, None, None),
        ("", "", None),
    ],
)
def test_instructions(own: str | None, asked: str | None, expected: str | None) -> None:
    """The agent's come first, a blank line between them and the request's."""
    request = question(instructions=asked)
    assert merged(request, target(instructions=own)).instructions == expected


def test_parameters_of_the_agent() -> None:
    """They hold where the request gives none."""
    request = merged(question(), target(parameters=OWN))
    assert {name: getattr(request, name) for name in OWN.__struct_fields__} == {
        name: getattr(OWN, name) for name in OWN.__struct_fields__
    }


def test_parameters_of_the_request() -> None:
    """They go before the agent's, also where they are 0."""
    request = merged(question(temperature=0.0, max_output_tokens=5), target(parameters=OWN))
    assert (request.temperature, request.max_output_tokens, request.top_p) == (0.0, 5, 0.9)


def test_a_bare_model() -> None:
    """Without an agent only the model's name and the past are put in."""
    request = question(instructions="In verse.", temperature=1.0, model="fake")
    assert merged(request, target()) == replace(request, model="m")


def test_the_past() -> None:
    """Its turns stand in front of the question, oldest first; behind it what this answer has made."""
    history = History(turns=(stored(1), stored(2)))
    request = with_past(merged(question("question 3"), target()), history, [assistant_message("so far")])
    said = [item.text for item in request.input if hasattr(item, "text")]
    assert said == ["question 1", "answer 1", "question 2", "answer 2", "question 3", "so far"]
    assert history.parent == "resp_2"


@pytest.mark.parametrize(("before", "after"), [(5, [4, 5]), (4, [3, 4]), (3, [3]), (2, [2]), (1, []), (0, [])])
def test_a_shortened_past(before: int, after: list[int]) -> None:
    """The newer half stays, so that shortening again and again ends with nothing."""
    history = History(turns=tuple(stored(number) for number in range(1, before + 1)))
    assert [turn.response.id for turn in history.shortened().turns] == [f"resp_{number}" for number in after]
