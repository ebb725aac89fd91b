"""`%agent keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell


def test_a_new_key_goes_to_a_variable(shell: Shell) -> None:
    """What the cell shows holds no secret; the variable does, and shows it only when asked."""
    shown = shell.run("%agent keys --new laptop --to key --rpm 60 --expires 30d")
    secret = shell.ip.user_ns["key"]
    assert secret.reveal().startswith("sk-")
    assert len(secret.reveal()) == 67
    assert repr(secret) == "****"
    assert secret.reveal() not in repr(shown)
    assert shown.rows[0][2:5] == ["laptop", "all", "60"]


def test_a_key_is_revoked(shell: Shell) -> None:
    """It is gone from the list."""
    [row] = shell.run("%agent keys --new laptop --to key").rows
    assert shell.run(f"%agent keys --revoke {row[0]}").rows == []


def test_a_new_key_needs_a_variable(shell: Shell) -> None:
    """Without one nothing is made, and the error says how."""
    assert "--to VARIABLE" in str(shell.fail("%agent keys --new laptop"))
    assert shell.run("%agent keys").rows == []


def test_a_key_for_an_unknown_agent(shell: Shell) -> None:
    """It is refused by name."""
    assert "There is no agent 'nobody'" in str(shell.fail("%agent keys --new laptop --to key --agents nobody"))
