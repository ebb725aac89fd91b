"""`%agent files`, `%agent know`, and answers with `--files`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Give a small file, with a blank in its name."""
    file = tmp_path / "my note.md"
    file.write_text("# Ferry\n\nThe boat leaves at noon.\n")
    return file


def test_a_collection(shell: Shell, note: Path) -> None:
    """It is filled, searched, listed, shown and deleted; its file stays."""
    added = shell.run(f"%agent know add boats '{note}'")
    assert added["name"].tolist() == ["my note.md"]
    found = shell.run("%agent know search -k 1 boats When does the boat leave?")
    assert found["heading"].tolist() == ["Ferry"]
    assert shell.run("%agent know")["name"].tolist() == ["boats"]
    assert shell.run("%agent know remove boats 'my note.md'").empty
    assert shell.run("%agent know delete boats").empty
    assert shell.run("%agent files")["status"].tolist() == ["completed"]


def test_files(shell: Shell, note: Path) -> None:
    """They are added and deleted by name."""
    shell.ip.user_ns["note"] = note
    assert shell.run("%agent files add '{{note}}'")["passages"].tolist() == [1]
    assert shell.run("%agent files --failed").empty
    assert shell.run("%agent files delete 'my note.md'").empty


def test_an_answer(shell: Shell, note: Path) -> None:
    """An answer that rests on a file shows what was found; a name that there isn't is an error."""
    shell.run(f"%agent chat --files '{note}' --to answer When does the boat leave?")
    assert "my note.md" in shell.ip.user_ns["answer"].response.output[1].output
    error = shell.fail("%agent chat --files nowhere Hm?")
    assert str(error).startswith("There is no file or collection 'nowhere'.")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("files ad x", "There is no %agent files ad. Did you mean add?"),
        ("files add", "%agent files add needs a name after it."),
        ("files add 'x", "A quote isn't closed."),
        ("know serch x y", "There is no %agent know serch. Did you mean search?"),
        ("know search", "%agent know search needs a collection's name"),
        ("know add boats", "Say what to add"),
        ("know search --ranking best boats x", "--ranking best: write fused, vectors or text."),
        ("know show boats", "There is no collection 'boats'."),
    ],
)
def test_slips(shell: Shell, line: str, message: str) -> None:
    """A slip is one line that says what to write."""
    assert str(shell.fail(f"%agent {line}")).startswith(message)
