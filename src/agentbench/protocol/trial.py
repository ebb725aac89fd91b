"""One answer among many to the same question, or to many questions: who gave it, with which settings, at what price."""

from __future__ import annotations

from typing import Any, Literal

from agentbench.protocol.values import Value

__all__ = ["Trial"]


class Trial(Value, frozen=True, kw_only=True):
    """One try. What failed is one too: it has an `error` in place of an `answer`.

    `place` is the prompt's place among the prompts, `run` counts the tries of one prompt with the same settings from 1.
    `inputs` are the columns that the prompt was made from; `agent` and `model` (`endpoint/model`) say who answered, as
    they were named or, where nobody was named, as they turned out; `settings` are what differs from try to try.
    `parsed` is the answer as JSON, where JSON was asked for. `cost` is in US dollars, `seconds` is how long it took and
    `first_token` how long until the first piece came. `scores` are by scorer; None where one couldn't tell.
    `notes` are by scorer too: a judge's reason, or why there is no score.
    """

    place: int
    run: int = 1
    prompt: str
    inputs: dict[str, Any] = {}
    agent: str | None = None
    model: str | None = None
    settings: dict[str, Any] = {}
    status: Literal["completed", "incomplete", "failed", "skipped"]
    answer: str | None = None
    parsed: Any = None
    error: str | None = None
    error_type: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    first_token: float | None = None
    response_id: str | None = None
    scores: dict[str, float | None] = {}
    notes: dict[str, str] = {}
