"""What headers may tell an upstream of who asks, by the names of the placeholders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.header_templates import BODY

if TYPE_CHECKING:
    from agentbench.config.remote import Role

__all__ = ["AS_WRITTEN", "KERNEL_EMAIL", "KERNEL_FACTS", "KERNEL_USER", "user_facts"]

KERNEL_USER = "kernel"
KERNEL_EMAIL = "kernel@localhost"


def user_facts(
    *, user: str, email: str, role: Role, name: str | None = None, subject: str | None = None
) -> dict[str, str]:
    """Return what is known of a user; `subject` is its id at an outside issuer, if it has one."""
    local = email.partition("@")[0]
    named = {
        "ID": user,
        "EMAIL": email,
        "USERNAME": local,
        "NAME": name or local,
        "ROLE": role,
        "PROVIDER": "openid" if subject else "local",
        "OPENIDID": subject or "",
    }
    return {f"LIBRECHAT_USER_{key}": value for key, value in named.items()}


KERNEL_FACTS = user_facts(user=KERNEL_USER, email=KERNEL_EMAIL, role="ADMIN")
"""Of the person at the kernel, which never change."""

AS_WRITTEN = {name: f"{{{{{name}}}}}" for name in BODY}
"""In place of what depends on a conversation, where there is none."""
