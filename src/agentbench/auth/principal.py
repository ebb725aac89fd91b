"""Who is calling."""

from __future__ import annotations

from typing import Literal

from agentbench.protocol.values import Value

__all__ = ["KERNEL", "Principal"]


class Principal(Value, frozen=True, kw_only=True):
    """A person or program that has shown who it is; `user` owns what it makes."""

    user: str
    role: Literal["ADMIN", "USER"] = "USER"


KERNEL = Principal(user="kernel", role="ADMIN")
"""The person at the kernel, who needs no key: whoever can run Python here can do anything already."""
