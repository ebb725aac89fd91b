"""Four servers on one PostgreSQL behind a proxy that goes round: whichever answers, it is one service; one is killed.

No client keeps a connection, so each request goes to the next server.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.fleet import Fleet, proxy_to, serving
from tests.chaos.scale_out_kill import one_is_killed
from tests.chaos.scale_out_shared import CONFIG, SHARED
from tests.storage.conftest import running_server

from agentbench.auth.accounts import Accounts
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.report import Report, Row

__all__ = ["run"]

SUITE = "scale_out"
SERVERS = 4


def run(report: Report, *, share: float) -> None:
    """Start the servers, try what they share, then kill one under load."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running_server()).get_uri()
        database = stack.enter_context(closing(Database(url)))
        processes = stack.enter_context(serving(SERVERS, CONFIG, folder, url))
        proxy = stack.enter_context(proxy_to(processes))
        fleet = Fleet(proxy=proxy, processes=processes, accounts=Accounts(database), database_url=url, share=share)
        for tried, case in (*SHARED.items(), ("one of four is killed", one_is_killed)):
            _try(report, tried, partial(case, fleet))


def _try(report: Report, tried: str, case: Callable[[Row], Awaitable[None]]) -> None:
    with report.trying(SUITE, tried) as row:
        asyncio.run(_awaited(case(row)))


async def _awaited(case: Awaitable[None]) -> None:
    await case
