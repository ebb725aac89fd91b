"""What becomes of a file's text when its keys are set and taken out: all the rest stays, comments too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET

from agentbench.config.changes import Edit
from agentbench.config.config import Config
from agentbench.config.edit import edited, replace_file
from agentbench.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = """\
# Ours.
endpoints:
  openAI:
    titleModel: 'gpt-4'   # small enough
    # Not too fast.
    streamRate: 25
    dropParams:
      - user      # they don't know it
      # Nor this one.
      - seed
    # How the team is known.
    headers:
      X-Team: sky   # ours
      # For the bill.
      X-Cost: "7"

  # What holds everywhere.
  all:
    titleConvo: true
  # Made for tests.
  custom:
  - name: router
    baseURL: https://router.example/v1
    models: {default: [a, b]}   # just these
"""


@pytest.fixture
def changed(folder: Path) -> Callable[..., str]:
    """Edit one key of a text and return what it is then."""

    def change(name: str, value: Any, text: str = TEXT) -> str:
        file = folder / "agentbench.yaml"
        file.write_text(text)
        block, *path = name.split(".")
        return edited(file, [Edit(block, tuple(path), value)])[1]

    return change


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("openAI.streamRate", "    streamRate: 25\n"),
        ("openAI.titleModel", "    titleModel: 'gpt-4'   # small enough\n"),
        ("openAI.headers.X-Cost", '      X-Cost: "7"\n'),
        ("router.baseURL", "    baseURL: https://router.example/v1\n"),
    ],
)
def test_a_key_is_taken_out(changed: Callable[..., str], name: str, gone: str) -> None:
    """Its line goes, and comments around it stay."""
    assert changed(name, UNSET) == TEXT.replace(gone, "")


def test_a_whole_mapping_is_taken_out(changed: Callable[..., str]) -> None:
    """What is written in it goes with it; the comment above the next block stays."""
    begin, end = TEXT.index("    headers:"), TEXT.index("\n  # What holds")
    assert changed("openAI.headers", UNSET) == TEXT[:begin] + TEXT[end:]


def test_the_last_key_leaves_the_block(changed: Callable[..., str]) -> None:
    """An endpoint that has no key left is still there."""
    assert "  all: {}\n" in changed("all.titleConvo", UNSET)


def test_a_missing_key_is_no_change(changed: Callable[..., str]) -> None:
    """There is nothing to take out."""
    assert changed("openAI.titlePrompt", UNSET) == TEXT


def test_a_new_key_comes_last_in_its_block(changed: Callable[..., str]) -> None:
    """It stands before the blank line and the comment of what follows."""
    assert changed("openAI.titleConvo", value=True) == TEXT.replace('"7"\n', '"7"\n    titleConvo: true\n')
    assert changed("openAI.headers.X-New", "n") == TEXT.replace('"7"\n', '"7"\n      X-New: n\n')


def test_list_items_keep_their_lines(changed: Callable[..., str]) -> None:
    """Only what comes and goes is touched."""
    after = changed("openAI.dropParams", ["top_k", "user", "seed"])
    assert after == TEXT.replace("      - user", "      - top_k\n      - user")
    assert changed("openAI.dropParams", ["user"]) == TEXT.replace("      - seed\n", "")


def test_a_mapping_changes_key_by_key(changed: Callable[..., str]) -> None:
    """What stays keeps its comment."""
    after = changed("openAI.headers", {"X-Team": "sea", "X-New": "n"})
    assert "      X-Team: sea   # ours\n      X-New: n\n      # For the bill.\n\n" in after
    assert after.startswith(TEXT[: TEXT.index("      X-Team")])


def test_between_brackets(changed: Callable[..., str]) -> None:
    """A value in brackets stays on its line, and so does its comment."""
    after = changed("router.models", {"default": ["c", "d"]})
    assert re.sub(" +# just", "   # just", after) == TEXT.replace("[a, b]", "[c, d]")


def test_more_lines_of_text(changed: Callable[..., str]) -> None:
    """A long text is written so that it is read again as it was, and what follows keeps its place."""
    after = changed("openAI.titlePrompt", "Name it:\n\n{convo}\n")
    assert after.startswith(TEXT[: TEXT.index("\n  # What holds")])
    assert after.endswith(TEXT[TEXT.index("\n  # What holds") :])


def test_an_alias_is_not_changed_behind_ones_back(changed: Callable[..., str]) -> None:
    """An edit that would change another key too is refused."""
    with pytest.raises(InvalidRequest, match="an alias repeats it"):
        changed("google.headers.X-A", "b", "endpoints:\n  openAI:\n    headers: &h {X-A: a}\n  google: {headers: *h}\n")
    with pytest.raises(InvalidRequest, match="an alias repeats it"):
        changed("openAI.streamRate", UNSET, "endpoints:\n  all: &a\n    streamRate: 2\n  openAI:\n    <<: *a\n")


def test_several_changes_are_one(folder: Path) -> None:
    """All are made or none: in the file and in the session."""
    file = folder / "agentbench.yaml"
    file.write_text(TEXT)
    config = Config("agentbench.yaml", {"OPENAI_API_KEY": "sk-1"})
    rate, title = ("streamRate",), ("titleModel",)
    with pytest.raises(ConfigError, match="streamRate: expected a number, found text"):
        config.change(session=[Edit("openAI", rate, "fast")], file=[Edit("openAI", title, "other")])
    assert file.read_text() == TEXT
    config.change(session=[Edit("openAI", rate, 7)], file=[Edit("openAI", title, UNSET), Edit("all", rate, 3)])
    openai = config.catalog.endpoint("openAI")
    assert (openai.stream_rate, openai.titles.model) == (7, None)
    assert "streamRate: 3" in file.read_text()


def test_a_saved_change_is_taken_back(folder: Path) -> None:
    """The file gets its bytes again, unless it has changed meanwhile."""
    file = folder / "agentbench.yaml"
    file.write_text(TEXT)
    config = Config("agentbench.yaml", {})
    config.change(file=[Edit("all", ("streamRate",), 3)])
    now = file.read_bytes()
    config.restore([], now=now, then=TEXT.encode())
    assert (file.read_text(), config.explain("local", "streamRate").value) == (TEXT, 1)
    with pytest.raises(InvalidRequest, match=r"agentbench\.yaml has changed since"):
        config.restore([], now=now, then=TEXT.encode())


def test_a_place_where_nothing_can_be_written(folder: Path) -> None:
    """The message names the file and says why."""
    with pytest.raises(ConfigError, match=r"'gone/agentbench\.yaml' can't be written: No such file or directory"):
        replace_file(Path("gone/agentbench.yaml"), b"")
