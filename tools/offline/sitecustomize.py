"""Keep a Python process, and those that it starts, on this machine: on PYTHONPATH, it is imported before anything else.

Connections to other hosts and look-ups of their names are refused, below every library. OFFLINE_LOG names a file in
which each attempt leaves a line, as what is refused may well be caught.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import sys
from pathlib import Path

CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Raise if a socket is about to leave this machine."""
    if event in CONNECTS:
        address = arguments[1]  # a pair for the internet, text for a socket of this machine
        host = address[0] if isinstance(address, tuple) else None
    elif event in LOOKUPS:
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        note(f"{event.removeprefix('socket.')} {host!s}")
        raise OSError(errno.ENETUNREACH, f"Offline: {host!s} was not asked.")


def is_loopback(host: object) -> bool:
    """Tell whether the host is this machine; no host at all means so too."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback or name == "0.0.0.0"  # noqa: S104 - nobody is bound to it here
    except ValueError:
        return False


def note(attempt: str) -> None:
    """Write the attempt down."""
    if log := os.environ.get("OFFLINE_LOG"):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{attempt}\n")


sys.addaudithook(refuse)
