"""E-mails: who wrote to whom, when and about what, and the body; attachments are only named."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import Pages

if TYPE_CHECKING:
    from email.message import EmailMessage

__all__ = ["read"]

_SHOWN = ("From", "To", "Cc", "Date", "Subject")


def read(data: bytes) -> Pages:
    """Read a message as it was sent."""
    message = message_from_bytes(data, policy=policy.default)
    head = "\n".join(f"{name}: {message[name]}" for name in _SHOWN if message[name])
    names = [name for part in message.iter_attachments() if (name := part.get_filename())]
    notes = (f"Attachments, not read: {', '.join(names)}.",) if names else ()
    return Pages(pages=(f"{head}\n\n{_body(message)}".strip(),), title=message["Subject"], notes=notes)


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    payload = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(payload, bytes):
        return ""
    text = decode(payload, part.get_content_charset())
    if part.get_content_subtype() != "html":
        return text
    from agentbench.retrieval.extraction.html_page import markdown_of

    return markdown_of(text).pages[0]
