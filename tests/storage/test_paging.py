"""Pages of lists by cursor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.storage.asked import begun, some_message, some_thread

from agentbench.errors import InvalidRequest
from agentbench.storage import threads
from agentbench.storage.paging import Page, listing

if TYPE_CHECKING:
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
ASC = {"order": "asc"}
PAGES: list[tuple[dict[str, Any], str, bool]] = [
    ({}, "54321", False),
    ({"limit": 2}, "54", True),
    ({"limit": 5}, "54321", False),
    ({"limit": 2, "after": "4"}, "32", True),
    ({"limit": 2, "after": "2"}, "1", False),
    ({"after": "1"}, "", False),
    ({"limit": 2, "before": "1"}, "32", True),
    ({"limit": 2, "before": "3"}, "54", False),
    ({"limit": 1, "after": "5", "before": "2"}, "4", True),
    ({"after": "4", "before": "2"}, "3", False),
    ({"limit": 2, **ASC}, "12", True),
    ({"limit": 2, "after": "2", **ASC}, "34", True),
    ({"limit": 2, "before": "5", **ASC}, "34", True),
    ({"limit": 9, "before": "3", **ASC}, "12", False),
]


async def look(database: Database, thread: str = "thread_1", **values: Any) -> Listing:
    """Return a page of a thread's messages."""
    page = Page(**values)
    return listing(await database.read(partial(threads.messages, thread_id=thread, page=page)), page)


@pytest.fixture
async def five(database: Database) -> Database:
    """Give a database whose thread has the messages 1 to 5, stored as they come; then another thread's."""
    await begun(database, *(some_message(str(each)) for each in range(1, 6)))
    await database.write(partial(threads.add, stored=some_thread("b"), messages=[some_message("other", thread="b")]))
    return database


async def test_pages(five: Database) -> None:
    """A page begins right after a cursor or ends right before one, in either order, and tells whether more follow."""
    for values, ids, more in PAGES:
        page = await look(five, **values)
        assert ("".join(each.id for each in page.data), page.has_more) == (ids, more), values
        assert (page.first_id, page.last_id) == ((ids[0], ids[-1]) if ids else (None, None))


async def test_an_unknown_cursor(five: Database) -> None:
    """An id that isn't in the list, but in another one perhaps, is refused by the name of its parameter."""
    for where in ("after", "before"):
        for cursor in ("gone", "other", ""):
            with pytest.raises(InvalidRequest, match="in this list") as caught:
                await look(five, **{where: cursor})
            assert caught.value.param == where


async def test_pages_while_the_list_grows(five: Database) -> None:
    """What comes and goes between two pages neither repeats nor hides anything else."""
    first = await look(five, limit=2)
    await five.write(partial(threads.add_message, message=some_message("6")))
    await five.write(partial(threads.delete_message, thread_id="thread_1", message_id="3"))
    second = await look(five, limit=2, after=first.last_id)
    assert [each.id for each in (*first.data, *second.data)] == ["5", "4", "2", "1"]
