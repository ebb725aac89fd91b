"""What a person sees when the database can't be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell


def asked(shell: Shell) -> Any:
    """Ask, and return the result."""
    shell.run("answer = %agent chat Why is the sky blue?")
    return shell.ip.user_ns["answer"]


def test_a_problem_is_a_note_under_one_answer(shell: Shell, home: Path) -> None:
    """Each answer is there, the note comes once and stays, and all is stored when the database works again."""
    home.mkdir()
    database = home / "agentbench.db"
    database.write_text("Dear diary, " * 1000)
    first, second = asked(shell), asked(shell)
    database.unlink()
    third = asked(shell)
    assert [each.response.status for each in (first, second, third)] == ["completed"] * 3
    assert f"{database} is not a SQLite database. Move that file away. It is kept in " in first.note
    assert first.note in repr(first)
    assert (second.note, third.note) == ("", "")
    assert len(shell.run("%agent usage")) == 3
