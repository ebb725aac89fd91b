"""What matplotlib is told to draw with: as for a file, but `plt.show()` puts the figures aside for the run's answer.

Only matplotlib imports this.
"""

from __future__ import annotations

from importlib import import_module

from agentbench.interpreter.figures import show

__all__ = ["FigureCanvas", "show"]

FigureCanvas = import_module("matplotlib.backends.backend_agg").FigureCanvasAgg
