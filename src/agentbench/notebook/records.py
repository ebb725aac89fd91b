"""What a widget leaves in a notebook for those who have no kernel: the same content with nothing live in it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Record"]


class Record(NamedTuple):
    """A static twin: HTML that survives JupyterLab's sanitizer, Markdown for GitHub, text for terminals."""

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
