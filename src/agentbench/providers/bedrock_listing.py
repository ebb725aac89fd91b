"""Which of what Amazon Bedrock lists can be talked to: no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentbench.errors import UpstreamGarbled

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint

__all__ = ["PROFILES_PATH", "TEXT_MODELS_PATH", "chat_models", "converse_models"]

TEXT_MODELS_PATH = "/foundation-models?byOutputModality=TEXT"
PROFILES_PATH = "/inference-profiles?maxResults=1000"

T = TypeVar("T")


class _Model(msgspec.Struct, rename="camel"):
    model_id: str
    response_streaming_supported: bool = False
    output_modalities: list[str] = []
    inference_types_supported: list[str] = []


class _Models(msgspec.Struct, rename="camel"):
    model_summaries: list[_Model] = []


class _Routed(msgspec.Struct, rename="camel"):
    model_arn: str = ""


class _Profile(msgspec.Struct, rename="camel"):
    inference_profile_id: str
    status: str = "ACTIVE"
    models: list[_Routed] = []


class _Profiles(msgspec.Struct, rename="camel"):
    inference_profile_summaries: list[_Profile] = []


class _ChatModel(msgspec.Struct):
    id: str


class _ChatModels(msgspec.Struct):
    data: list[_ChatModel] = []


def converse_models(models: Any, profiles: Any, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of models that stream text on demand, and of inference profiles that lead to one, sorted."""
    writers = [
        model
        for model in _read(models, _Models, endpoint).model_summaries
        if model.response_streaming_supported and "TEXT" in model.output_modalities
    ]
    names = {model.model_id for model in writers if "ON_DEMAND" in model.inference_types_supported}
    ids = {model.model_id for model in writers}
    for profile in _read(profiles, _Profiles, endpoint).inference_profile_summaries:
        routed = {each.model_arn.rpartition("/")[2] for each in profile.models}
        if profile.status == "ACTIVE" and routed & ids:
            names.add(profile.inference_profile_id)
    return tuple(sorted(names))


def chat_models(listed: Any, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names under Chat Completions' `/models`, sorted."""
    return tuple(sorted(model.id for model in _read(listed, _ChatModels, endpoint).data))


def _read(listed: Any, kind: type[T], endpoint: Endpoint) -> T:
    try:
        return msgspec.convert(listed, kind)
    except msgspec.ValidationError:
        raise UpstreamGarbled(f"{endpoint.name} didn't answer with a list of models.", endpoint=endpoint.name) from None
