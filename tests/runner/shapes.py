"""Types that the tools of these tests take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel


class Unit(Enum):
    """A unit of temperature."""

    C = "celsius"
    F = "fahrenheit"


@dataclass
class Place:
    """A point on a map."""

    lat: float
    lon: float = 0.0


class Trip(BaseModel):
    """A way with stops."""

    stops: list[Place]
