"""Markdown to HTML that is safe to show, whole or while it grows; the only place where this package makes HTML of it.

What a stranger wrote is shown, never run: markup in it is text, links lead to the web or to mail, images are the ones
that the text itself holds. Maths stays text.

What there is to style: the usual elements; `ab-k` (keyword), `ab-s` (string), `ab-c` (comment), `ab-n` (number) and
`ab-f` (name of a function, class, tag or key) on `span`s in code; `ab-raw` on a `pre` that shows text as it was
written, because it is too long or too deeply nested to be laid out.
"""

from __future__ import annotations

from agentbench.notebook.render.allowed import clean, is_link, is_shown_image
from agentbench.notebook.render.code import code_html, pretty_json
from agentbench.notebook.render.growing import Change, GrowingHtml
from agentbench.notebook.render.images import image_html
from agentbench.notebook.render.pieces import html_of, pieces_of, raw

__all__ = [
    "Change",
    "GrowingHtml",
    "clean",
    "code_html",
    "html_of",
    "image_html",
    "is_link",
    "is_shown_image",
    "pieces_of",
    "pretty_json",
    "raw",
]
