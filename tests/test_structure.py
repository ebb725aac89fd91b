"""The shape of the project: layers, sizes, public names, the tree of errors."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import agentbench
from agentbench import errors

PROJECT = Path(__file__).parent.parent
ERROR_LINE = re.compile(r"^([ │├└─]*)(\w+) +(\d{3}) ", re.MULTILINE)


def run(*arguments: str | Path) -> tuple[int, str]:
    """Run Python in the project's folder; return the exit status and what it prints."""
    done = subprocess.run([sys.executable, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_layers_hold() -> None:
    """Each room imports only rooms below it, and the other contracts of pyproject.toml hold."""
    status, output = run("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-logo")
    assert status == 0, output


def test_nothing_is_too_long() -> None:
    """Functions have at most 40 lines, files at most 400."""
    status, output = run("tools/check_sizes.py")
    assert status == 0, output


def test_what_is_too_long_is_named(tmp_path: Path) -> None:
    """The size check names file, line and length of what it finds."""
    file = tmp_path / "long.py"
    file.write_text("def fine():\n    pass\n\ndef long():\n" + "    pass\n" * 396)
    status, output = run("tools/check_sizes.py", tmp_path)
    assert status == 1
    assert output.splitlines() == [
        f"{file}:4: long has 397 lines, at most 40",
    ]
    file.write_text("\n" * 401)
    assert run("tools/check_sizes.py", tmp_path) == (1, f"{file}:1: 401 lines, at most 400\n")


def test_public_names_are_documented() -> None:
    """Every name in `agentbench.__all__` is there, and what can have a docstring has one."""
    public = {name: getattr(agentbench, name) for name in agentbench.__all__}
    assert [name for name, value in public.items() if callable(value) and not inspect.getdoc(value)] == []


def test_error_tree_is_complete() -> None:
    """The module docstring of errors.py shows every error class, at its depth, with its HTTP status."""
    lines = ERROR_LINE.findall(inspect.getdoc(errors) or "")
    shown = {name: (len(branch) // 4 - 1, int(status)) for branch, name, status in lines}
    root = errors.AgentbenchError
    classes = [each for each in vars(errors).values() if inspect.isclass(each) and issubclass(each, root)]
    assert shown == {each.__name__: (each.mro().index(root), each.status) for each in classes}
