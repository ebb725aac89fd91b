"""What counts as HTTP headers in a file."""

from __future__ import annotations

import re

from agentbench.config.problem import InvalidValueError, Problem

__all__ = ["http_headers"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2: token


def http_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers without blanks around their values; raise `ValueError` for what can't be sent."""
    if not all(map(_NAME.fullmatch, headers)):
        raise ValueError("a header's name may hold only letters, digits and '-'")
    stripped = {name: value.strip() for name, value in headers.items()}
    broken = [name for name, value in stripped.items() if not value.isprintable()]
    if broken:
        raise InvalidValueError(*(Problem((name,), "expected one line of text") for name in broken))
    return stripped
