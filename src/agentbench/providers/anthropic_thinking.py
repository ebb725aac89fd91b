"""What each generation of Claude takes of thinking and sampling, told by the model's name.

Up to 4.5 a model thinks within a budget; from 4.6 on as it sees fit, led by an effort. Other models that speak this
format take budgets. https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentbench.protocol.request import AllowedTools, FunctionToolChoice

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse

__all__ = ["generation", "sampling", "thinking"]

Generation = tuple[int, int] | None

_NUMBERS = re.compile(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2})(?!\d))?(?!\d)")
_NEWEST = (99, 0)
_ADAPTIVE, _XHIGH, _NO_SAMPLING = (4, 6), (4, 7), (4, 7)
_ONE_SAMPLING = (4, 1)
"""From here on a request may set the temperature or top_p, not both."""
_NOT_ALWAYS = (5, 0)
"""The last generation that can be told not to think, but for the models that always do."""
_ALWAYS = ("fable", "mythos")

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24000}
"""Tokens to think in, by effort."""
_LEAST = 1024
"""The smallest budget that is taken."""


def generation(model: str) -> Generation:
    """Return a Claude's generation, such as (4, 5); None for other models. One without a number is the newest."""
    found = _NUMBERS.search(model)
    if found is None:
        return _NEWEST if "claude-" in model else None
    return int(found[1]), int(found[2] or 0)


def thinking(request: CreateResponse, max_tokens: int, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the `thinking` of a request, and the `output_config` with its effort; nothing leaves it to the model."""
    model = request.model or ""
    version = generation(model)
    wanted = request.reasoning is not None and bool(request.reasoning.effort or request.reasoning.summary)
    effort = request.reasoning.effort if request.reasoning is not None else None
    forced = _is_forced(request)
    if version is None or version < _ADAPTIVE:
        budget = min(_BUDGETS.get(effort or "medium", 0), max_tokens * 3 // 4)
        fits = wanted and not forced and budget >= _LEAST and _may_begin(turns)
        return {"thinking": {"type": "enabled", "budget_tokens": budget}} if fits else {}
    always = version > _NOT_ALWAYS or any(name in model for name in _ALWAYS)
    if (forced or effort == "none") and not always:
        return {"thinking": {"type": "disabled"}}
    return _adaptive(version, effort) if wanted else {}


def sampling(request: CreateResponse, *, thinks: bool) -> dict[str, Any]:
    """Return the temperature, at most 1, and top_p, as far as the model takes them; with thinking, none does."""
    version = generation(request.model or "")
    if thinks or (version is not None and version >= _NO_SAMPLING):
        return {}
    temperature, top_p = request.temperature, request.top_p
    if temperature is not None and version is not None and version >= _ONE_SAMPLING:
        top_p = None
    given = {"temperature": None if temperature is None else min(temperature, 1.0), "top_p": top_p}
    return {key: value for key, value in given.items() if value is not None}


def _adaptive(version: tuple[int, int], effort: str | None) -> dict[str, Any]:
    """Return free thinking, to be shown: newer models else keep it to themselves."""
    out: dict[str, Any] = {"thinking": {"type": "adaptive", "display": "summarized"}}
    if effort is not None:
        known = {"none": "low", "minimal": "low", "xhigh": "xhigh" if version >= _XHIGH else "high"}
        out["output_config"] = {"effort": known.get(effort, effort)}
    return out


def _is_forced(request: CreateResponse) -> bool:
    """Tell whether a call is demanded, which doesn't go with thinking."""
    choice = request.tool_choice.mode if isinstance(request.tool_choice, AllowedTools) else request.tool_choice
    return bool(request.tools) and (choice == "required" or isinstance(choice, FunctionToolChoice))


def _may_begin(turns: list[dict[str, Any]]) -> bool:
    """Tell whether thinking may be on: amid calls, only if the first of the assistant's turns began with it."""
    last = len(turns) - 1
    while last > 0 and turns[last]["content"][0]["type"] == "tool_result":
        last -= 2
    return last + 1 >= len(turns) or turns[last + 1]["content"][0]["type"] in {"thinking", "redacted_thinking"}
