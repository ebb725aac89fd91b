"""The figures of matplotlib that a run leaves: those shown, which are closed by it as in a notebook, and those open."""

from __future__ import annotations

import io
import sys

__all__ = ["show", "taken"]

_shown: list[bytes] = []


def show(*_: object, **__: object) -> None:
    """Draw the open figures and close them: what `plt.show()` does."""
    open_ones = sys.modules["matplotlib._pylab_helpers"].Gcf
    for manager in open_ones.get_all_fig_managers():
        picture = io.BytesIO()
        manager.canvas.figure.savefig(picture, format="png", bbox_inches="tight")
        _shown.append(picture.getvalue())
    open_ones.destroy_all()


def taken() -> list[bytes]:
    """Return what was shown since the last call, and what is still open, as PNG."""
    if "matplotlib._pylab_helpers" in sys.modules:
        show()
    pictures = list(_shown)
    _shown.clear()
    return pictures
