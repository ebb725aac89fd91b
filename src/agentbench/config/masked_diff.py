"""What changes in a config file, line by line, for people to see: secrets in it are masked."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING

from agentbench.config.masking import secret_texts
from agentbench.config.secret import MASK, without_keys
from agentbench.config.yaml_file import parse_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["masked_diff", "masked_text"]

_COMMENT = re.compile(r"(?:^|\s)#.*")


def masked_diff(before: str, after: str, file: Path) -> str:
    """Return a unified diff of two texts of a file; empty where they are the same."""
    old, new = (masked_text(each, file).splitlines() for each in (before, after))
    return "\n".join(unified_diff(old, new, str(file), str(file), lineterm=""))


def masked_text(text: str, file: Path) -> str:
    """Return the text of a config in which what may be secret is masked."""
    document = parse_text(text, file)
    lines = text.splitlines()
    starts = sorted({mark.line for mark in document.marks.values()})
    for path, secret in secret_texts(document.data):
        mark = document.mark(path)
        begin, column = mark.line - 1, mark.column - 1
        key, rest = lines[begin][: column + len(str(path[-1]))], lines[begin][column + len(str(path[-1])) :]
        if secret in rest:
            lines[begin] = key + rest.replace(secret, MASK, 1)
            continue
        end = next((line for line in starts if line > mark.line), len(lines) + 1) - 1
        lines[begin] = f"{key}: {MASK}"  # it is written over lines, or with escapes
        lines[begin + 1 : end] = [f"# {MASK}"] * (end - begin - 1)
    return "\n".join(_COMMENT.sub(lambda found: without_keys(found[0]), line) for line in lines)
