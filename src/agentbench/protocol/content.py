"""Content parts: what messages, reasoning and tool outputs are made of.

Open Responses, release 2026-04-24. One class a part, told apart by `type`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from agentbench.protocol.values import Value

__all__ = [
    "ContentPart",
    "InputFile",
    "InputImage",
    "InputText",
    "InputVideo",
    "LogProb",
    "OutputText",
    "ReasoningText",
    "Refusal",
    "SummaryText",
    "Text",
    "TopLogProb",
    "UrlCitation",
]


class TopLogProb(Value, frozen=True, kw_only=True):
    """One of the likeliest tokens at a position."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()


class LogProb(Value, frozen=True, kw_only=True):
    """A generated token, its log probability and the likeliest others."""

    token: str
    logprob: float
    bytes: tuple[int, ...] = ()
    top_logprobs: tuple[TopLogProb, ...] = ()


class UrlCitation(Value, frozen=True, kw_only=True, tag_field="type", tag="url_citation"):
    """A source of the text between two character offsets."""

    url: str
    title: str
    start_index: int
    end_index: int


class InputText(Value, frozen=True, kw_only=True, tag_field="type", tag="input_text"):
    """Text that goes into the model."""

    text: str


class InputImage(Value, frozen=True, kw_only=True, tag_field="type", tag="input_image"):
    """An image that goes into the model: an https address or a `data:` URL."""

    image_url: str | None = None
    detail: Literal["low", "high", "auto"] = "auto"


class InputFile(Value, frozen=True, kw_only=True, tag_field="type", tag="input_file"):
    """A file that goes into the model; `file_data` is base64 or a `data:` URL."""

    filename: str | UnsetType = UNSET
    file_data: str | UnsetType = UNSET
    file_url: str | UnsetType = UNSET


class InputVideo(Value, frozen=True, kw_only=True, tag_field="type", tag="input_video"):
    """A video that goes into the model, by address."""

    video_url: str


class OutputText(Value, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """Text that the model wrote."""

    text: str
    annotations: tuple[UrlCitation, ...] = ()
    logprobs: tuple[LogProb, ...] = ()


class Refusal(Value, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """The model's words for why it won't answer."""

    refusal: str


class Text(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text of no particular direction; accepted, never produced."""

    text: str


class SummaryText(Value, frozen=True, kw_only=True, tag_field="type", tag="summary_text"):
    """A part of a summary of the model's reasoning, safe to show."""

    text: str


class ReasoningText(Value, frozen=True, kw_only=True, tag_field="type", tag="reasoning_text"):
    """The model's raw reasoning."""

    text: str


ContentPart = (
    InputText | InputImage | InputFile | InputVideo | OutputText | Refusal | Text | SummaryText | ReasoningText
)
