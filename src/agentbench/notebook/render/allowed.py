"""Which HTML may be shown. Everything that this package makes of a stranger's text goes through `clean`."""

from __future__ import annotations

import re
from functools import cache

import nh3

__all__ = ["clean", "is_link", "is_shown_image"]

_TAGS = {"a", "blockquote", "br", "code", "del", "details", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr"} | {
    *("img", "li", "ol", "p", "pre", "s", "section", "small", "span", "strong", "summary"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_CLASSES = {
    "span": {"ab-k", "ab-s", "ab-c", "ab-n", "ab-f"},
    "pre": {"ab-raw"},
    "section": {"ab-turn"},
    "blockquote": {"ab-question", "ab-refusal"},
    "details": {"ab-reasoning", "ab-call", "ab-result"},
    "p": {"ab-note", "ab-usage"},
}
_DIRECTED = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "td", "th", "pre", "summary")
_ALIGNED = {"style": {f"text-align:{side}" for side in ("left", "center", "right")}}
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"\x00-\x1f]+", re.IGNORECASE)
_SHOWN_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+", re.IGNORECASE)


def clean(html: str) -> str:
    """Return the HTML without what isn't allowed; what comes out goes through again unchanged."""
    return _cleaner().clean(html.encode("utf-8", "replace").decode())  # halves of characters are no text to it


def is_link(address: str) -> bool:
    """Whether an address may be followed: the web's and mail's only."""
    return _LINK.fullmatch(address) is not None


def is_shown_image(address: str) -> bool:
    """Whether an address holds the image itself.

    An image from elsewhere would be fetched without a click, and its address can carry out what the conversation
    holds; an SVG is a document of its own. Neither is shown.
    """
    return _SHOWN_IMAGE.fullmatch(address) is not None


@cache
def _cleaner() -> nh3.Cleaner:
    only: dict[str, dict[str, set[str]]] = {tag: {"dir": {"auto"}} for tag in _DIRECTED}
    for cell in ("td", "th"):
        only[cell] = only[cell] | _ALIGNED
    return nh3.Cleaner(
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "img": {"src", "alt"}, "ol": {"start"}},
        tag_attribute_values=only,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        allowed_classes=_CLASSES,
        attribute_filter=_kept,
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
    )


def _kept(_: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if is_link(value) else None
    if name == "src":
        return value if is_shown_image(value) else None
    return value if name != "class" else value or None
