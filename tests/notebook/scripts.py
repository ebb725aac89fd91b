"""The models and agents that the notebook's tests talk to, each of which says always the same."""

from __future__ import annotations

from typing import Any

__all__ = ["CONFIG", "MODELS"]

MODELS: dict[str, Any] = {
    "hello": [{"text": "Hello **world**"}, {"usage": {"input_tokens": 3, "output_tokens": 2}}],
    "turns": {"turns": [[{"text": "first"}], [{"text": "second"}], [{"text": "third"}]]},
    "json": [{"text": '{"city": "Oslo"}'}],
    "broken": [{"text": "Half an"}, {"error": "The model fell over."}],
    "slow": [{"text": "This much came."}, {"wait": 60}, {"text": "Never."}],
    "silent": [{"wait": 60}, {"text": "Never."}],
    "paced": [step for word in ("one ", "two ", "three") for step in ({"text": word}, {"wait": 0.2})],
}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {"models": MODELS},
        "custom": [{"name": "gone", "baseURL": "http://127.0.0.1:9/v1", "models": {"default": ["m"]}}],
    },
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "hello", "description": "Says hello."},
        {"id": "counter", "endpoint": "scripted", "model": "turns"},
    ],
}
