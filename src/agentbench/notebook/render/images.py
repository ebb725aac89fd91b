"""An image as HTML: shown if the address holds it, else a link to it."""

from __future__ import annotations

from html import escape

from agentbench.notebook.render.allowed import clean, is_link, is_shown_image

__all__ = ["image_html"]


def image_html(address: str, alt: str) -> str:
    """Return the image that the address holds, or a link to where it lies; of any other address, the words alone."""
    if is_shown_image(address):
        return clean(f'<img src="{escape(address)}" alt="{escape(alt)}">')
    if is_link(address):
        return clean(f'<a href="{escape(address)}">{escape(alt or address)}</a>')
    return clean(escape(alt))
