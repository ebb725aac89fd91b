"""What a usage dashboard counts: the calls that it knows, what they are chosen by, and their static record."""

from __future__ import annotations
