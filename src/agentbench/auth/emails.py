"""When two emails are the same."""

from __future__ import annotations

from agentbench.errors import InvalidRequest

__all__ = ["email_key", "new_email"]

LONGEST = 254  # RFC 5321, 4.5.3.1.3, less the brackets


def email_key(text: str) -> str:
    """Return the form in which emails are stored and compared: ASCII letters count in either case.

    No other letters do, nor are they normalized, as some become ASCII by that: a Kelvin sign would be a k, and one
    user another.
    """
    return text.strip().encode(errors="replace").lower().decode()


def new_email(text: str) -> str:
    """Return the form to store; raises `InvalidRequest` if it isn't an email."""
    email = email_key(text)
    local, _, host = email.rpartition("@")
    if not (local and host) or len(email) > LONGEST or not email.isprintable() or " " in email:
        raise InvalidRequest("That is not an email address. Write one such as ann@example.org.", param="email")
    return email
