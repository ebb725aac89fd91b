"""The shared settings of endpoints as frozen values; LibreChat's shared endpoint settings name the keys."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["CURRENT_MODEL", "Timeouts", "TitleMethod", "TitleTiming", "Titles"]

CURRENT_MODEL = "current_model"
"""As a title model: the one that answers."""

TitleTiming = Literal["immediate", "final"]
TitleMethod = Literal["completion", "structured"]


class Titles(msgspec.Struct, frozen=True, kw_only=True):
    """Whether and how a conversation gets its title."""

    enabled: bool = False
    timing: TitleTiming = "immediate"
    """`immediate`: beside the first answer; `final`: after it."""
    model: str | None = None
    """None and `current_model` mean the model that answers, or with `endpoint` that one's default model."""
    method: TitleMethod = "completion"
    prompt: str | None = None
    """With `{convo}` in it; None means the method's own."""
    template: str = "User: {input}\nAI: {output}"
    endpoint: str | None = None
    """Who makes it; None means the endpoint that answers."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for an upstream, in seconds."""

    connect: float = 10
    first_byte: float = 300
    """From the request to the answer's first byte: a model may think for minutes."""
    silence: float = 300
    """Between two pieces of an answer."""
