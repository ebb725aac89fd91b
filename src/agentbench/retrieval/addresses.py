"""Which addresses a web page may be fetched from: names are looked up once, and connections made to what was found."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

import anyio

from agentbench.errors import InvalidRequest

__all__ = ["Resolve", "looked_up", "public"]

Resolve = "Callable[[str, int], Awaitable[list[str]]]"

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # how networks without IPv4 reach what has nothing else
_WRAPPED = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""Other IPv6 networks whose addresses stand for IPv4 addresses."""


async def looked_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the system's order; raises `InvalidRequest` if it has none."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise InvalidRequest(f"There is no host {host!r}. Check the address.", param="url") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def public(addresses: list[str]) -> bool:
    """Tell whether all of the addresses are in the public internet; one that isn't spoils them all."""
    return bool(addresses) and all(map(_is_public, addresses))


def _is_public(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # one with a zone is of a link
        return False
    if found in _TRANSLATED:
        found = ipaddress.IPv4Address(found.packed[-4:])
    if any(found in network for network in _WRAPPED) or (found.version == 6 and found.is_site_local):  # noqa: PLR2004 - IPv6
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)
