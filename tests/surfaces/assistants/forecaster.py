"""An assistant that asks its client for the weather, and what the client knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openai
    from openai.types.beta import Assistant
    from openai.types.beta.threads import Run

__all__ = ["ANSWER", "WEATHER", "forecaster", "outputs"]

ANSWER = "It rains in Seoul."
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def forecaster(client: openai.OpenAI) -> Assistant:
    """Make the assistant."""
    return client.beta.assistants.create(model="scripted/round-trip", tools=[WEATHER])


def outputs(run: Run) -> Any:
    """Return what each call that a run waits for gives back."""
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    assert {each.function.name for each in calls} == {"weather"}
    return [{"tool_call_id": each.id, "output": "rain"} for each in calls]
