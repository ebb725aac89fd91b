"""What counts as a URL, in a file and in the environment alike."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

__all__ = ["http_url", "secure_url"]

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


def secure_url(text: str) -> str:
    """Return a URL that nobody on the way can change: https, or http to this machine; raise `ValueError`."""
    text = text.strip()
    address, _, query = text.partition("?")
    parts = urlsplit(http_url(address))
    if not query.isprintable() or " " in query or "#" in query:
        raise ValueError(_EXPECTED)
    if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
        raise ValueError("expected https://; http:// only to this machine (localhost, 127.0.0.1, [::1])")
    return text


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks that it is a number
    except ValueError:
        raise ValueError(_EXPECTED) from None
    return parts
