"""Images for a prompt: from a file, an address or a variable to a URL that goes into the request."""

from __future__ import annotations

import base64
import io
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["image_url"]

_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
_ADDRESS = ("https://", "http://", "data:")


def image_url(source: str, namespace: Mapping[str, Any]) -> str:
    """Return an image as an https or `data:` URL.

    `source` is an address, the name of a variable (bytes, a path, a PIL image, a matplotlib figure, an IPython image),
    or a file's path, in this order.
    """
    value = source if source.startswith(_ADDRESS) else namespace.get(source, source)
    if isinstance(value, str) and value.startswith(_ADDRESS):
        return value
    if isinstance(value, str | Path):
        return _from_file(Path(value))
    return _data_url(_bytes_of(source, value), source)


def _from_file(path: Path) -> str:
    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        raise InvalidRequest(
            f"--image {path}: no such variable, and the file can't be read ({error.strerror})."
        ) from None
    return _data_url(content, str(path))


def _bytes_of(name: str, value: Any) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(data := getattr(value, "data", None), bytes):  # an IPython image
        return data
    for method in ("savefig", "save"):  # a matplotlib figure, a PIL image
        if hasattr(value, method):
            buffer = io.BytesIO()
            getattr(value, method)(buffer, format="png")
            return buffer.getvalue()
    raise InvalidRequest(
        f"--image {name}: a {type(value).__name__} is not an image. Give bytes, a path, a PIL image or a figure."
    )


def _data_url(content: bytes, name: str) -> str:
    kind = next((mime for magic, mime in _MAGIC.items() if content.startswith(magic)), None)
    kind = kind or mimetypes.guess_type(name)[0] or ""
    if not kind.startswith("image/"):
        raise InvalidRequest(f"--image {name}: that is not a PNG, JPEG, GIF or WebP image.")
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
