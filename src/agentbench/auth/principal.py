"""Who is calling."""

from __future__ import annotations

from agentbench.config.remote import Role
from agentbench.protocol.values import Value

__all__ = ["KERNEL", "KERNEL_EMAIL", "Principal"]


class Principal(Value, frozen=True, kw_only=True):
    """A person or program that has shown who it is; `user` owns what it makes.

    `key` is the id of the API key that was shown, `agents` the agents that may be named (None: all), `remote` whether
    the caller came over HTTP, `signed_in` whether a person showed a password.
    """

    user: str
    role: Role = "USER"
    key: str | None = None
    agents: tuple[str, ...] | None = None
    remote: bool = False
    signed_in: bool = False


KERNEL = Principal(user="kernel", role="ADMIN")
"""The person at the kernel, who needs no key: whoever can run Python here can do anything already."""

KERNEL_EMAIL = "kernel@localhost"
"""The email of the account that goes with it: keys made in a notebook are its, and see what the notebook made."""
