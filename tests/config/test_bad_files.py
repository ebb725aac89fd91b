"""Files that can't be read at all: missing, not text, not YAML, endless."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.config import load
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{here}: &{here} [{', '.join([f'*{above}'] * 10)}]\n" for above, here in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{here}: &{here} {{<<: [{', '.join([f'*{above}'] * 10)}], {here}: *{above}, z: *{above}}}\n"
    for above, here in zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu", strict=True)
)

SYNTAX = {
    "tab after a key": (
        "endpoints:\n\tcustom: []\n",
        "agentbench.yaml:2:1: a tab; indent with spaces",
    ),
    "tab under a list": (
        "agents:\n  - id: a\n\t  name: b\n",
        "agentbench.yaml:3:1: a tab; indent with spaces",
    ),
    "key twice": (
        "agents: []\nversion: '1'\nagents: []\n",
        "agentbench.yaml:3:1: the key 'agents' is there twice in one mapping",
    ),
    "secret key twice": (
        "apiKey: sk-1\napiKey: sk-2\n",
        "agentbench.yaml:2:1: the key 'apiKey' is there twice in one mapping",
    ),
    "bracket left open": (
        "agents: [{id: a}\nversion: '1'\n",
        "agentbench.yaml:1:9: a bracket that is never closed",
    ),
    "quote left open": ("version: '1\nagents: []\n", "agentbench.yaml:1:10: a quote that is never closed"),
    "value that starts with a star": (
        "apiKey: *sk-1\n",
        "agentbench.yaml:1:9: an alias with no anchor; put a value that starts with '*' in quotes",
    ),
    "value that starts with an at": (
        "apiKey: @sk-1\n",
        "agentbench.yaml:1:9: a character that can't start a value; put the value in quotes",
    ),
    "colon in a value": (
        "name: a: b\n",
        "agentbench.yaml:1:8: a ':' where none can be; check the indentation and quotes",
    ),
    "line without colon": (
        "agents: []\nversion\n",
        "agentbench.yaml:3:1: a line with no ':'; check the indentation",
    ),
    "wrong indentation": (
        "agents:\n    - id: a\n  - id: b\n",
        "agentbench.yaml:3:3: a line that doesn't fit in; check the indentation",
    ),
    "bad escape": (
        'path: "C:\\models"\n',
        "agentbench.yaml:1:11: an unknown escape in double quotes; write '\\\\' for a backslash",
    ),
    "two documents": (
        "agents: []\n---\nagents: []\n",
        "agentbench.yaml:2:1: a second document; a config is one, so remove '---'",
    ),
    "unknown tag handle": ("apiKey: !sk!1\n", "agentbench.yaml:1:9: not valid YAML"),
    "control character": (
        "version: '\x01'\n",
        "agentbench.yaml: not valid YAML. Look for control characters and '!!' tags",
    ),
    "tag that doesn't fit": (
        "version: !!int sk-1\n",
        "agentbench.yaml: not valid YAML. Look for control characters and '!!' tags",
    ),
    "set that isn't one": (
        "version: !!set sk-1\n",
        "agentbench.yaml: not valid YAML. Look for control characters and '!!' tags",
    ),
    "hundreds of brackets": ("[" * 800, "agentbench.yaml: nested too deeply"),
    "many brackets": (
        f"agents: {'[' * 60}{']' * 60}",
        "agentbench.yaml:1:1: agents: nested more than 40 levels deep",
    ),
    "alias bomb": (
        ALIASES,
        "agentbench.yaml:5:1: e: more than 50,000 values. Does an alias repeat aliases?",
    ),
}


@pytest.mark.parametrize(("text", "expected"), SYNTAX.values(), ids=SYNTAX)
def test_what_is_not_yaml_is_said_with_its_line(refused: Callable[..., str], text: str, expected: str) -> None:
    """The message is in plain words and never quotes the broken line, where a secret may stand."""
    assert refused(text) == expected


def test_merge_keys_that_multiply_are_stopped(refused: Callable[..., str]) -> None:
    """An alias bomb made of `<<` ends as soon as one made of lists."""
    assert "more than 50,000 values" in refused(MERGES)


def bytes_error(folder: Path, content: bytes) -> str:
    """Load a file of these bytes and return the message."""
    (folder / "agentbench.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load("agentbench.yaml", {})
    return caught.value.message


def test_a_file_that_is_not_utf8_names_the_line(folder: Path) -> None:
    """Another encoding is refused rather than guessed."""
    message = bytes_error(folder, b"version: '1'\n# caf\xe9\n")
    assert message == "agentbench.yaml:2: not UTF-8 text. Save the file as UTF-8."


def test_a_missing_file_suggests_its_neighbour(folder: Path) -> None:
    """The nearest YAML file in the same folder is named."""
    (folder / "agentbench.yml").touch()
    with pytest.raises(ConfigError) as caught:
        load("agentbnch.yaml", {})
    assert caught.value.message == "There is no file 'agentbnch.yaml'. Did you mean 'agentbench.yml'?"


def test_a_missing_file_names_the_variable_that_named_it(folder: Path) -> None:
    """A path from AGENTBENCH_CONFIG says so."""
    with pytest.raises(ConfigError) as caught:
        load(None, {"AGENTBENCH_CONFIG": "none/x.yaml"})
    assert caught.value.message == "There is no file 'none/x.yaml'. AGENTBENCH_CONFIG names it."


def test_a_folder_is_not_a_file(folder: Path) -> None:
    """A path to a folder asks for the file in it."""
    (folder / "configs").mkdir()
    with pytest.raises(ConfigError) as caught:
        load("configs", {})
    assert caught.value.message == "'configs' is a folder, not a file. Name the YAML file in it."


def test_a_file_below_a_file_cannot_be_read(folder: Path) -> None:
    """Any other refusal of the system is passed on in its words."""
    (folder / "file").touch()
    with pytest.raises(ConfigError) as caught:
        load("file/agentbench.yaml", {})
    assert caught.value.message == "'file/agentbench.yaml' can't be read: Not a directory."


def test_a_mapping_from_python_has_no_places(folder: Path) -> None:
    """Without a file the message starts with the key."""
    with pytest.raises(ConfigError) as caught:
        load({"agents": [{"id": "a", "instruction": "Be brief."}]}, {})
    assert caught.value.message == "agents[0].instruction: unknown key. Did you mean 'instructions'?"


def test_a_mapping_that_holds_itself_is_refused(folder: Path) -> None:
    """A cycle made in Python ends in a message, not in a crash."""
    cycle: dict[str, object] = {}
    cycle["endpoints"] = cycle
    with pytest.raises(ConfigError) as caught:
        load(cycle, {})
    assert caught.value.message == "endpoints: nested more than 40 levels deep"
