"""What differs between the models on Bedrock, told by a model's name: thinking, caches, and whose thoughts are whose.

A name that doesn't say it, such as the ARN of an application inference profile, gets nothing special.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["Thinking", "cached_parts", "maker", "seal", "thinking", "unsealed"]

_MAKER = re.compile(r"(?:^|/)(?:(?:af|apac|au|ca|eu|global|il|jp|me|mx|sa|us|us-gov)\.)?([a-z0-9]+)\.")
_CLAUDE = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2})(?!\d))?")
_SEAL = re.compile(r"bedrock:(\w*):(signature|redacted):(.*)", re.DOTALL)

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576}
"""Tokens for the older Claude models, which want a number; they take no fewer than the smallest."""
_THREE_EFFORTS = {"none": "low", "minimal": "low", "xhigh": "high"}
_SAMPLING = ("temperature", "topP")


class Thinking(NamedTuple):
    """How a model is asked to think."""

    fields: dict[str, Any] = {}
    """For `additionalModelRequestFields`."""
    excludes: tuple[str, ...] = ()
    """What `inferenceConfig` must not hold beside them."""


def maker(model: str) -> str:
    """Return who made a model (`anthropic`, `amazon`, `openai`, …); empty if its name doesn't say."""
    found = _MAKER.search(model)
    return found[1] if found else ""


def cached_parts(model: str) -> frozenset[str]:
    """Return where a model may have a cache point: in `system`, in `tools`."""
    if _claude(model) >= (3, 7) or "claude-3-5-haiku" in model:
        return frozenset({"system", "tools"})
    return frozenset({"system"} if maker(model) == "amazon" and "nova" in model else ())


def thinking(model: str, effort: str, limit: int | None) -> Thinking:
    """Return how to ask a model for an effort; `limit` is the most tokens that it may write, thoughts included.

    Models that have no such setting, or none that is known, get none.
    """
    if (version := _claude(model)) >= (3, 7):
        return _claude_thinking(version, effort, limit)
    if "nova-2" in model:
        return _nova_thinking(effort)
    if maker(model) == "openai" and "gpt-oss" not in model:
        return Thinking({"reasoning": {"effort": "low" if effort == "minimal" else effort}})
    if maker(model) in {"openai", "moonshot", "moonshotai"}:
        return Thinking({"reasoning_effort": _THREE_EFFORTS.get(effort, effort)})
    return Thinking()


def _claude(model: str) -> tuple[int, int]:
    """Return a Claude model's version; zeros for all others."""
    found = _CLAUDE.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _claude_thinking(version: tuple[int, int], effort: str, limit: int | None) -> Thinking:
    if effort == "none":  # from 5 on they think unless told not to
        return Thinking({"thinking": {"type": "disabled"}} if version >= (5, 0) else {})
    if version >= (4, 6):
        adapted = {"minimal": "low", "xhigh": "xhigh" if version >= (4, 7) else "high"}.get(effort, effort)
        return Thinking({"thinking": {"type": "adaptive"}, "output_config": {"effort": adapted}}, _SAMPLING)
    budget = _BUDGETS[effort] if limit is None else min(_BUDGETS[effort], limit // 2)
    if budget < _BUDGETS["minimal"]:
        return Thinking()
    return Thinking({"thinking": {"type": "enabled", "budget_tokens": budget}}, _SAMPLING)


def _nova_thinking(effort: str) -> Thinking:
    if effort == "none":
        return Thinking({"reasoningConfig": {"type": "disabled"}})
    level = _THREE_EFFORTS.get(effort, effort)
    fields = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}}
    return Thinking(fields, (*_SAMPLING, "maxTokens") if level == "high" else ())


def seal(model: str, kind: str, sealed: str) -> str:
    """Return a thought's `signature` or its `redacted` content as `encrypted_content`: `bedrock:MAKER:KIND:SEALED`."""
    return f"bedrock:{maker(model)}:{kind}:{sealed}"


def unsealed(model: str, encrypted: str) -> tuple[str, str] | None:
    """Return the kind and the content of a seal that this model's maker gave; None for anyone else's.

    Where one of the two names doesn't say who made the model, it counts as the same.
    """
    found = _SEAL.fullmatch(encrypted)
    if found is None or (found[1] and maker(model) not in {found[1], ""}):
        return None
    return found[2], found[3]
