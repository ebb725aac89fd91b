"""Who is calling."""

from __future__ import annotations

from datetime import datetime

from agentbench.config.header_facts import KERNEL_EMAIL, KERNEL_USER
from agentbench.config.remote import Role
from agentbench.config.secret import Secret
from agentbench.protocol.values import Value

__all__ = ["KERNEL", "KERNEL_EMAIL", "Bearer", "Principal"]


class Bearer(Value, frozen=True, kw_only=True):
    """Whose token it is: `subject` never changes at `issuer`; `name` is the email or what stands for it.

    `token` is for upstreams that know the issuer too.
    """

    issuer: str
    subject: str
    name: str | None
    full_name: str | None = None
    token: Secret
    expires_at: datetime


class Principal(Value, frozen=True, kw_only=True):
    """A person or program that has shown who it is; `user` owns what it makes.

    `key` is the id of the API key that was shown, `agents` the agents that may be named (None: all), `remote` whether
    the caller came over HTTP, `signed_in` whether a person showed a password; `bearer` is what an outside issuer says.
    """

    user: str
    role: Role = "USER"
    key: str | None = None
    agents: tuple[str, ...] | None = None
    remote: bool = False
    signed_in: bool = False
    bearer: Bearer | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether the operator's work may be done; a key with a list of agents is for those, whoever's it is."""
        return self.role == "ADMIN" and self.agents is None


KERNEL = Principal(user=KERNEL_USER, role="ADMIN")
"""The person at the kernel, who needs no key: whoever can run Python here can do anything already.

`KERNEL_EMAIL` is the account that goes with it: keys made in a notebook are its, and see what the notebook made.
"""
