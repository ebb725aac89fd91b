"""The window that slides."""

from __future__ import annotations

from agentbench.auth import limits
from agentbench.auth.limits import SlidingWindow


def test_sliding() -> None:
    """So many in any minute, and the wait is until the oldest leaves it; what is refused isn't counted."""
    now = [0.0]
    window = SlidingWindow(clock=lambda: now[0])
    assert [window.take("a", 2), window.take("a", 2)] == [0, 0]
    now[0] = 20
    assert [window.take("a", 2), window.take("a", 2), window.take("b", 2)] == [40, 40, 0]
    now[0] = 60
    assert [window.take("a", 2), window.take("a", 2), window.take("a", 2)] == [0, 0, 60]


def test_forgetting() -> None:
    """A name that is forgotten begins anew."""
    window = SlidingWindow()
    window.take("a", 1)
    window.forget("a")
    window.forget("never there")
    assert window.take("a", 1) == 0


def test_made_up_names() -> None:
    """Names that are made up don't fill the memory."""
    window = SlidingWindow()
    for number in range(limits.MOST_NAMES + 500):
        window.take(f"made-up-{number}", 5)
    assert len(window._moments) == limits.MOST_NAMES
