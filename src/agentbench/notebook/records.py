"""What stays in a notebook when the kernel is gone: the same thing as HTML, as Markdown and as plain text."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Record"]

_BEFORE_A_BLANK_LINE = re.compile(r"\n(?=[^\S\n]*(?:\n|$))")


class Record(NamedTuple):
    """The static twin of something live; `html` is safe, and JupyterLab's sanitizer leaves it as it is."""

    html: str
    markdown: str
    plain: str

    def bundle(self, key: str = "") -> dict[str, str]:
        """Return it as a notebook stores it; `key` becomes a class, by which a live view finds the record.

        The HTML has no blank line: where it is put into Markdown, as nbconvert does, one would end it, and what comes
        after it would be read as Markdown.
        """
        html = f'<div class="agentbench-record {key}">{self.html}</div>'
        return {
            "text/html": _BEFORE_A_BLANK_LINE.sub("&#10;", html),
            "text/markdown": self.markdown,
            "text/plain": self.plain,
        }
