"""What counts as a base URL, in a file and in the environment alike."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

__all__ = ["http_url"]

_EXPECTED = "expected a URL such as https://host/v1"


def http_url(text: str) -> str:
    """Return the URL without a slash at its end; raise `ValueError` that never repeats it."""
    text = text.strip()
    parts = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in text or not text.isprintable():
        raise ValueError(_EXPECTED)
    if "@" in parts.netloc:
        raise ValueError("expected a URL with no user name or password; put a credential in 'apiKey' or 'headers'")
    if parts.query or parts.fragment:
        raise ValueError(f"{_EXPECTED}, with no '?' or '#'")
    return parts.geturl().rstrip("/")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks that it is a number
    except ValueError:
        raise ValueError(_EXPECTED) from None
    return parts
