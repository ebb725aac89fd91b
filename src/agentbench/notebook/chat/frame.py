"""A chat's turns as a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from agentbench.notebook.chat.drawing import question_text, status_of

if TYPE_CHECKING:
    from agentbench.notebook.chat.past import Past

__all__ = ["frame_of"]

_DTYPES = {"input_tokens": "Int64", "output_tokens": "Int64", "cost": "Float64", "seconds": "Float64"}


def frame_of(past: Past) -> pd.DataFrame:
    """Return one row a turn of the branch in view; what nobody knows is missing."""
    rows = []
    for stored in past.stored:
        row = past.row(stored.response.id)
        rows.append(
            {
                "id": stored.response.id,
                "time": stored.created_at,
                "agent": stored.agent,
                "model": stored.response.model,
                "question": question_text(stored.input),
                "answer": stored.response.output_text,
                "status": status_of(stored.response),
                "input_tokens": None if row is None else row.input_tokens,
                "output_tokens": None if row is None else row.output_tokens,
                "cost": None if row is None else row.cost,
                "seconds": None if row is None else row.duration,
                "branches": len(past.siblings(stored.response.id)),
            }
        )
    names = ["id", "time", "agent", "model", "question", "answer", "status", *_DTYPES, "branches"]
    return pd.DataFrame(rows, columns=names).astype(_DTYPES)
