"""Find functions and files that have grown too long.

    python tools/check_sizes.py [FOLDER ...]

Prints `file:line: what` for each and exits with 1 if there is any.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION_LINES = 40
FILE_LINES = 400
FOLDERS = ("src", "tests", "tools", "benchmarks", "widgets/src", "widgets/tests")
KINDS = (".py", ".ts", ".tsx", ".css")


def main(folders: list[str]) -> int:
    """Check every source file below the folders; return the exit status."""
    paths = [path for folder in folders for path in sorted(Path(folder).rglob("*")) if path.suffix in KINDS]
    found = [line for path in paths for line in too_long(path)]
    for line in found:
        print(line)
    return 1 if found else 0


def too_long(path: Path) -> Iterator[str]:
    """Yield a line for the file if it is too long, and one for each Python function in it that is.

    Functions of TypeScript are biome's to measure.
    """
    source = path.read_text(encoding="utf-8")
    length = len(source.splitlines())
    if length > FILE_LINES:
        yield f"{path}:1: {length} lines, at most {FILE_LINES}"
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(FOLDERS)))
