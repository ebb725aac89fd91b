"""Files of any kind, by their content."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.archives.conftest import FILES

from agentbench.archives.reading import read
from agentbench.archives.values import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("librechat.json", {"LibreChat": 1}),
        ("open_webui.json", {"Open WebUI": 1}),
        ("chatgpt.json", {"ChatGPT": 1}),
        ("messages.json", {"messages of Chat Completions": 1}),
        ("fine_tuning.jsonl", {"messages of Chat Completions": 2}),
        ("events.sse", {"a log of Responses": 1}),
    ],
)
def test_the_content_says_what_a_file_is(opened: Callable[[str], Read], name: str, formats: dict[str, int]) -> None:
    """No name is looked at."""
    assert dict(opened(name).formats) == formats


def test_formats_may_be_mixed() -> None:
    """A list may hold conversations of several programs."""
    one, other = ((FILES / name).read_text() for name in ("messages.json", "librechat.json"))
    assert len(read(f"[{one}, {other}, 5]", "ann").found) == 2


@pytest.mark.parametrize("text", [b"", b"hello", b"{}", b"[]", b"null", b'{"a":', b"\xff\xfe", b"PK\x03\x04broken"])
def test_what_holds_no_conversation_is_refused(text: bytes) -> None:
    """The reason is told."""
    with pytest.raises(Malformed, match=r"it (holds|is)"):
        read(text, "ann")


def test_too_much_is_refused_before_it_is_unpacked() -> None:
    """A small ZIP that unpacks to much stops at the limit."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", " " * 5_000_000)
    found = read(buffer.getvalue(), "ann", most=1_000_000)
    assert [(each.place, each.reason) for each in found.problems] == [
        ("conversations.json", "unpacked it is too large")
    ]
    with pytest.raises(Malformed, match="larger than"):
        read(b" " * 2_000_000, "ann", most=1_000_000)


def test_another_users_conversation_has_other_ids(opened: Callable[[str], Read]) -> None:
    """Two people may import the same file into one database."""
    [mine] = opened("messages.json").found
    [theirs] = read((FILES / "messages.json").read_bytes(), "bob").found
    assert mine.conversation.id != theirs.conversation.id
    assert mine.turns[0].response.id != theirs.turns[0].response.id
