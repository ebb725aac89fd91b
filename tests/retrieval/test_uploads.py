"""What is uploaded: harmless names, and sizes that are known before anything is stored."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest

from agentbench.errors import InvalidRequest, RequestTooLarge
from agentbench.retrieval.uploads import clean_name, measured

if TYPE_CHECKING:
    from pathlib import Path


class Pipe(io.BytesIO):
    """Data that can be read once."""

    def seekable(self) -> bool:
        """Say no."""
        return False


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.txt", "a.txt"),
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ann\\report.pdf", "report.pdf"),
        ("folder/", "folder"),
        ("a\x00b\n.txt", "ab.txt"),
        ("gpj\u202egnp.exe", "gpjgnp.exe"),
        ("\ud800half.txt", "half.txt"),
        ("", "file"),
        ("..", "file"),
        (" \t ", "file"),
        (".env", ".env"),
        (normalize("NFD", "보고서.pdf"), "보고서.pdf"),  # as macOS spells it
    ],
)
def test_a_name_is_only_a_name(given: str, expected: str) -> None:
    """Folders, control characters and halves of characters are left out; Korean is composed."""
    assert clean_name(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("n" * 300 + ".pdf", "n" * 196 + ".pdf"), ("n." + "s" * 300, "n." + "s" * 198), ("한" * 300, "한" * 200)],
)
def test_a_long_name_keeps_its_type(given: str, expected: str) -> None:
    """A name has at most 200 characters, its suffix among them if that is one."""
    assert clean_name(given) == expected


@pytest.mark.parametrize("data", [b"abc" * 700_000, io.BytesIO(b"abc" * 700_000), Pipe(b"abc" * 700_000)])
def test_data_is_read_twice(data: bytes | io.BytesIO) -> None:
    """Bytes, files and pipes are measured, then read again in parts of one megabyte at most, as often as needed."""
    with measured(data, "a", largest=10_000_000) as upload:
        parts = list(upload.parts())
        assert parts == list(upload.parts())
    assert (upload.size, upload.head[:4]) == (2_100_000, b"abca")
    assert b"".join(parts) == b"abc" * 700_000
    assert [len(each) for each in parts] == [1_048_576, 1_048_576, 2_848]


def test_reading_begins_where_the_file_stands() -> None:
    """What was read of a file before isn't part of it."""
    source = io.BytesIO(b"header body")
    source.seek(7)
    with measured(source, "a", largest=100) as upload:
        assert list(upload.parts()) == [b"body"]


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_the_limit_is_named(kind: type[io.BytesIO]) -> None:
    """A file over the limit is read no further than that."""
    source = kind(b"x" * 5_000_000)
    message = "'a' is larger than 2 MB, the limit for files. Split it, or add less of it."
    with pytest.raises(RequestTooLarge, match=message), measured(source, "a", largest=2 * 1024 * 1024):
        pytest.fail("it is too large")
    assert source.tell() <= 3 * 1024 * 1024


def test_an_empty_file_is_refused() -> None:
    """No bytes, no file."""
    with pytest.raises(InvalidRequest, match="'a' is empty"), measured(b"", "a", largest=100):
        pytest.fail("it is empty")


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
    """What was measured is what is stored, or nothing."""
    path = tmp_path / "log"
    path.write_bytes(b"one")
    with path.open("rb") as source, measured(source, "log", largest=100) as upload:
        path.write_bytes(b"two")
        with pytest.raises(InvalidRequest, match="changed while it was read"):
            list(upload.parts())
