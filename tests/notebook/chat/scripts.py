"""The models and agents that the chat's tests talk to, each of which says always the same."""

from __future__ import annotations

from typing import Any

__all__ = ["CONFIG", "MODELS"]

WORDS = "".join(f"word{number} " for number in range(2000))
USAGE = {"usage": {"input_tokens": 3, "output_tokens": 2}}
MODELS: dict[str, Any] = {
    "hello": [{"reasoning": "Hm."}, {"text": "Hello **world**"}, USAGE],
    "turns": {"turns": [[{"text": "first"}], [{"text": "second"}], [{"text": "third"}], [{"text": "fourth"}]]},
    "long": [{"text": WORDS}],
    "broken": [{"text": "Half an"}, {"error": "The model fell over."}],
    "slow": [{"text": "This much came."}, {"wait": 60}, {"text": "Never."}],
    "silent": [{"wait": 60}, {"text": "Never."}],
    "tools": {
        "turns": [
            [{"call": {"name": "add", "arguments": {"a": 1, "b": 2}}}],
            [{"text": "It is 3."}],
        ]
    },
    "careful": {
        "turns": [
            [{"call": {"name": "erase", "arguments": {"path": "/"}}}],
            [{"text": "Done."}],
        ]
    },
}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {"models": MODELS, "titleConvo": False},
        "custom": [{"name": "gone", "baseURL": "http://127.0.0.1:9/v1", "models": {"default": ["m"]}}],
    },
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "hello"},
        {"id": "counter", "endpoint": "scripted", "model": "turns"},
        {"id": "adder", "endpoint": "scripted", "model": "tools", "tools": ["add"]},
        {"id": "eraser", "endpoint": "scripted", "model": "careful", "tools": ["erase"]},
    ],
}
