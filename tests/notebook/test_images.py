"""From a file, an address or a variable to an image's URL."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.images import image_url

if TYPE_CHECKING:
    from io import BytesIO

PNG = b"\x89PNG\r\n\x1a\n the rest"
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


class Picture:
    """Saves itself as PIL's images do."""

    def save(self, file: BytesIO, **options: str) -> None:
        """Write the file."""
        assert options == {"format": "png"}
        file.write(PNG)


class Figure:
    """Saves itself as matplotlib's figures do."""

    savefig = Picture.save


class Shown:
    """Holds its bytes as IPython's images do."""

    data = PNG


VALUES = {"bytes": PNG, "bytearray": bytearray(PNG), "PIL": Picture(), "figure": Figure(), "IPython": Shown()}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_variable_becomes_a_data_url(value: object) -> None:
    """Bytes and what can save itself are encoded into the URL."""
    assert image_url("picture", {"picture": value}) == PNG_URL


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read(tmp_path: Path, kind: type[Any]) -> None:
    """A path is read, whether it is written out or in a variable."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    assert image_url(str(path), {}) == image_url("here", {"here": kind(path)}) == PNG_URL


@pytest.mark.parametrize("address", ["https://host/a.png", PNG_URL])
def test_an_address_stays(address: str) -> None:
    """An address is sent as it is, whether it is written out or in a variable."""
    assert image_url(address, {}) == image_url("there", {"there": address}) == address


def test_a_variable_goes_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable hides a file of the same name."""
    monkeypatch.chdir(tmp_path)
    Path("plot").write_bytes(b"GIF89a")
    assert image_url("plot", {}).startswith("data:image/gif;")
    assert image_url("plot", {"plot": PNG}) == PNG_URL


def test_a_file_may_be_called_as_a_scheme(tmp_path: Path) -> None:
    """A path in a variable is read even if it begins as an address does."""
    path = tmp_path / "httpd.png"
    path.write_bytes(PNG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert image_url("plot", {"plot": path.name}) == PNG_URL


BAD = [
    ("missing.png", "--image missing.png: no such variable, and the file can't be read (No such file or directory)."),
    ("number", "--image number: a int is not an image."),
    ("words", "--image words: that is not a PNG, JPEG, GIF or WebP image."),
]


@pytest.mark.parametrize(("source", "message"), BAD)
def test_what_is_not_an_image_is_refused(source: str, message: str) -> None:
    """A missing file, another kind of variable and other bytes are named in the error."""
    with pytest.raises(InvalidRequest) as caught:
        image_url(source, {"number": 5, "words": b"words"})
    assert caught.value.message.startswith(message)
