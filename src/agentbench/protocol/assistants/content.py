"""What thread messages are made of: texts with annotations, pictures, refusals; one class a part, told by `type`."""

from __future__ import annotations

from typing import Literal

from agentbench.protocol.values import Value

__all__ = [
    "Annotation",
    "FileCitation",
    "FileId",
    "FilePath",
    "ImageFile",
    "ImageFilePart",
    "ImageUrl",
    "ImageUrlPart",
    "MessageContent",
    "RefusalPart",
    "TextPart",
    "TextValue",
]

Detail = Literal["auto", "low", "high"]


class FileId(Value, frozen=True, kw_only=True):
    """Names a file."""

    file_id: str


class FileCitation(Value, frozen=True, kw_only=True, tag_field="type", tag="file_citation"):
    """A source of the text between two character offsets; `text` is what stands there."""

    text: str
    start_index: int
    end_index: int
    file_citation: FileId


class FilePath(Value, frozen=True, kw_only=True, tag_field="type", tag="file_path"):
    """A file that was made, in whose place the text has a path."""

    text: str
    start_index: int
    end_index: int
    file_path: FileId


Annotation = FileCitation | FilePath


class TextValue(Value, frozen=True, kw_only=True):
    """A text and what it cites."""

    value: str
    annotations: tuple[Annotation, ...] = ()


class TextPart(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text."""

    text: TextValue


class ImageFile(Value, frozen=True, kw_only=True):
    """A stored picture."""

    file_id: str
    detail: Detail | None = None


class ImageFilePart(Value, frozen=True, kw_only=True, tag_field="type", tag="image_file"):
    """A picture by its file."""

    image_file: ImageFile


class ImageUrl(Value, frozen=True, kw_only=True):
    """A picture's address."""

    url: str
    detail: Detail | None = None


class ImageUrlPart(Value, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A picture by its address."""

    image_url: ImageUrl


class RefusalPart(Value, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """Why the model won't answer."""

    refusal: str


MessageContent = TextPart | ImageFilePart | ImageUrlPart | RefusalPart
