"""Reads HTML as a browser does, and says what in it could run, lead astray or fetch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import html5lib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

__all__ = ["faults", "text_of"]

TAGS = {
    *("a", "blockquote", "br", "code", "del", "details", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img"),
    *("li", "ol", "p", "pre", "s", "section", "small", "span", "strong", "summary"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
VALUES = {
    ("a", "href"): r"(?i:https?://|mailto:)[^\s\"<>]+",
    ("a", "rel"): "noopener noreferrer nofollow",
    ("a", "target"): "_blank",
    ("a", "title"): r"(?s:.*)",
    ("img", "alt"): r"(?s:.*)",
    ("img", "src"): r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+",
    ("ol", "start"): r"\d+",
    ("td", "style"): "text-align:(?:left|right|center)",
    ("th", "style"): "text-align:(?:left|right|center)",
}
CLASSES = {
    *("ab-k", "ab-s", "ab-c", "ab-n", "ab-f", "ab-raw", "ab-turn", "ab-question"),
    *("ab-refusal", "ab-reasoning", "ab-call", "ab-result", "ab-note", "ab-usage"),
}


def faults(html: str) -> list[str]:
    """Return what must not be in HTML of a stranger's text, read as a part of a page and as a page; empty if inert."""
    parts = html5lib.parseFragment(html, container="div", namespaceHTMLElements=False)
    page = html5lib.parse(f"<!DOCTYPE html><title>a</title><body>{html}", namespaceHTMLElements=False)
    body = page.find("body")
    elements = [*list(parts.iter())[1:], *list(body.iter())[1:]]
    apart = [] if text_of(html) == "".join(body.itertext()) else ["reads differently in a page"]
    return [fault for element in elements for fault in _faults(element)] + apart


def text_of(html: str) -> str:
    """Return what there is to read."""
    return "".join(html5lib.parseFragment(html, container="div", namespaceHTMLElements=False).itertext())


def _faults(element: Element) -> Iterator[str]:
    tag = element.tag
    if tag not in TAGS:  # comments and elements of SVG and MathML too
        yield f"<{tag}>"
    for name, value in element.attrib.items():
        if name == "dir" and value == "auto":
            continue
        if name == "class" and value in CLASSES:
            continue
        if not re.fullmatch(VALUES.get((str(tag), name), r"(?!)"), value):
            yield f"<{tag} {name}={value!r}>"
    if tag == "a" and "href" in element.attrib and element.get("rel") is None:
        yield "a link that tells where it comes from"
