"""One question, or many, tried with several models, agents and settings: what is planned, asked, scored and kept."""

from __future__ import annotations
