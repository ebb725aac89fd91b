"""HTML as markdown, without what a person doesn't read on the page."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Comment
from markdownify import MarkdownConverter

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import Pages, check_length

__all__ = ["markdown_of", "read"]

_UNREAD = ("script", "style", "nav", "noscript", "template", "svg", "iframe", "canvas", "object", "head")
_CHARSET = re.compile(rb"<(?:meta[^>]{0,200}charset|\?xml[^>]{0,100}encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_LOOKED_AT = 4096  # bytes in which a page says what it is in
_BLANK_LINES = re.compile(r"\n{3,}")


def read(data: bytes, charset: str | None = None) -> Pages:
    """Read a page; `charset` is what its server says."""
    named = _CHARSET.search(data[:_LOOKED_AT])
    return markdown_of(decode(data, charset or (named[1].decode() if named else None)))


def markdown_of(html: str) -> Pages:
    """Return the markdown of HTML."""
    check_length(len(html))
    soup = BeautifulSoup(html, "html.parser")
    title = soup.title.get_text() if soup.title else None
    for element in [*soup.find_all(_UNREAD), *soup.find_all(string=lambda text: isinstance(text, Comment))]:
        element.extract()
    for image in soup.find_all("img"):
        image.replace_with(str(image.get("alt") or ""))
    text = MarkdownConverter(heading_style="ATX", bullets="-", strip=["a"]).convert_soup(soup)
    return Pages(pages=(_BLANK_LINES.sub("\n\n", text).strip(),), markup="markdown", title=title)
