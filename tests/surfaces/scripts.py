"""Scripts of every kind of answer, and what each surface should tell of it."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["SCRIPTS", "TOLD", "Told", "config"]


class Told(NamedTuple):
    """What an answer says, in no surface's words; `error` is the message of one that failed midway."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str = "stop"
    error: str | None = None
    tokens: tuple[int, int, int, int] | None = None

    @property
    def status(self) -> str:
        """The status of the response."""
        if self.error is not None:
            return "failed"
        return "incomplete" if self.finish in ("length", "content_filter") else "completed"


def call(name: str, **arguments: Any) -> dict[str, Any]:
    """Return the step in which the model calls a function."""
    return {"call": {"name": name, "arguments": arguments}}


USAGE = {"usage": {"input_tokens": 11, "output_tokens": 7, "cached_tokens": 3, "reasoning_tokens": 2}}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "text": [{"text": "Hello, 세계! 🙂"}, USAGE],
    "reasoning": [{"reasoning": "Let me think. "}, {"text": "It is 42."}],
    "refusal": [{"refusal": "I can't help with that."}],
    "text-then-refusal": [{"text": "Well, "}, {"refusal": "no."}],
    "call": [call("weather", city="서울")],
    "call-without-arguments": [call("now")],
    "call-with-broken-arguments": [{"call": {"name": "now", "arguments": '{"zone": '}}],
    "parallel-calls": [call("weather", city="Seoul"), call("weather", city="Busan"), call("now")],
    "text-and-calls": [{"text": "Let me look."}, call("weather", city="Seoul"), call("now")],
    "cut": [{"text": "Once upon a"}, {"finish": "length"}],
    "filtered": [{"text": "The recipe"}, {"finish": "content_filter"}],
    "failed": [{"text": "Well, I "}, {"error": "The model caught fire."}],
    "failed-at-once": [{"error": "The model caught fire."}],
    "empty": [],
    "everything": [{"reasoning": "Hm. "}, {"text": "Let me look."}, call("weather", city="Seoul"), call("now"), USAGE],
}
SEOUL, BUSAN, NOW = ("weather", '{"city":"Seoul"}'), ("weather", '{"city":"Busan"}'), ("now", "{}")
TOLD: dict[str, Told] = {
    "text": Told(text="Hello, 세계! 🙂", tokens=(11, 7, 3, 2)),
    "reasoning": Told(text="It is 42.", reasoning="Let me think. "),
    "refusal": Told(refusal="I can't help with that."),
    "text-then-refusal": Told(text="Well, ", refusal="no."),
    "call": Told(calls=(("weather", '{"city":"서울"}'),), finish="tool_calls"),
    "call-without-arguments": Told(calls=(NOW,), finish="tool_calls"),
    "call-with-broken-arguments": Told(calls=(("now", '{"zone": '),), finish="tool_calls"),
    "parallel-calls": Told(calls=(SEOUL, BUSAN, NOW), finish="tool_calls"),
    "text-and-calls": Told(text="Let me look.", calls=(SEOUL, NOW), finish="tool_calls"),
    "cut": Told(text="Once upon a", finish="length"),
    "filtered": Told(text="The recipe", finish="content_filter"),
    "failed": Told(text="Well, I ", error="The model caught fire."),
    "failed-at-once": Told(error="The model caught fire."),
    "empty": Told(),
    "everything": Told(
        text="Let me look.", reasoning="Hm. ", calls=(SEOUL, NOW), finish="tool_calls", tokens=(11, 7, 3, 2)
    ),
}
# The model asks for a tool, then uses what that gave back.
ROUND_TRIP = {"turns": [[call("weather", city="Seoul")], [{"text": "It rains in Seoul."}]]}


def config() -> dict[str, Any]:
    """Return a configuration with every script as a model, and one agent."""
    models = {**SCRIPTS, "round-trip": ROUND_TRIP, "slow": [{"text": "one "}, {"wait": 60}, {"text": "two"}]}
    models["json"] = [{"text": '{"name": "Seoul", "people": 9}'}]
    agent = {"id": "bot", "endpoint": "scripted", "model": "text", "instructions": "Be kind."}
    return {"endpoints": {"scripted": {"models": models}}, "agents": [agent]}
