"""What stays in a notebook when the kernel is gone: the same thing as HTML, as Markdown and as plain text."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Record"]


class Record(NamedTuple):
    """The static twin of something live; `html` is safe, and JupyterLab's sanitizer leaves it as it is."""

    html: str
    markdown: str
    plain: str

    def bundle(self, key: str = "") -> dict[str, str]:
        """Return it as a notebook stores it; `key` becomes a class, by which a live view finds the record."""
        return {
            "text/html": f'<div class="agentbench-record {key}">{self.html}</div>',
            "text/markdown": self.markdown,
            "text/plain": self.plain,
        }
