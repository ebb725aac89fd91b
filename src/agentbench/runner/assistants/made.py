"""Files that code has made while an assistant answered."""

from __future__ import annotations

from agentbench.protocol.assistants.content import ImageFile, ImageFilePart
from agentbench.protocol.values import Value

__all__ = ["FOLDER", "MadeFile"]

FOLDER = "sandbox:/mnt/data/"
"""What the paths of files begin with in texts of assistants."""


class MadeFile(Value, frozen=True, kw_only=True):
    """A file that was stored under `id`."""

    id: str
    name: str
    is_picture: bool = False

    @property
    def path(self) -> str:
        """What the model writes for it."""
        return FOLDER + self.name

    @property
    def part(self) -> ImageFilePart:
        """The picture as a part of a message."""
        return ImageFilePart(image_file=ImageFile(file_id=self.id))
