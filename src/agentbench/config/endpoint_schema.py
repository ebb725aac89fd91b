"""What each kind of endpoint has besides the shared settings; `schema.py` puts them together."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from agentbench.config.endpoint import USER_PROVIDED
from agentbench.config.problem import InvalidValueError, Problem
from agentbench.config.rates_schema import TokenConfig
from agentbench.config.script import Script
from agentbench.config.script_schema import read_script
from agentbench.config.section import Section
from agentbench.config.shared_schema import SharedSection
from agentbench.config.url import http_url

__all__ = [
    "AllSection",
    "AnthropicSection",
    "BedrockSection",
    "BuiltInSection",
    "CustomSection",
    "GoogleSection",
    "Key",
    "LocalModelSection",
    "LocalSection",
    "ModelsSection",
    "OllamaSection",
    "OpenAISection",
    "ScriptedSection",
]

_VERTEX = "Vertex AI is not spoken; the provider's own API is"
_UI = "browser UI only"


def _endpoint_name(text: str) -> str:
    if not text.strip() or "/" in text:
        raise ValueError("expected a name with no '/', because models are written endpoint/model")
    return text.strip()


def _api_key(text: str) -> str:
    key = text.strip()
    if not (key.isascii() and key.isprintable() and key):
        raise ValueError("expected one line of ASCII text")
    return key


def _base_url(text: str) -> str:
    return USER_PROVIDED if text.strip() == USER_PROVIDED else http_url(text)


_Name = Annotated[str, Field(min_length=1)]
Key = Annotated[str, AfterValidator(_api_key)]
"""One line that can stand in a header."""
_Url = Annotated[str, AfterValidator(_base_url)]


class ModelsSection(Section):
    """The models of an endpoint: the listed ones, and with `fetch` those that it lists itself."""

    ignored: ClassVar = {"userIdQuery": "lists are fetched once for everybody"}

    default: list[_Name] = Field(
        default_factory=list, examples=["[small, large]"], description="the models; the first is the default one"
    )
    fetch: bool = Field(default=False, examples=[True], description="whether it is asked for others too")

    @model_validator(mode="before")
    @classmethod
    def _just_names(cls, data: object) -> object:
        return {"default": data} if isinstance(data, list) else data

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.default or self.fetch):
            raise ValueError("name at least one model in 'default', or set 'fetch: true'")
        return self


class AllSection(SharedSection):
    """What holds for every endpoint."""

    @model_validator(mode="before")
    @classmethod
    def _no_address(cls, data: object) -> object:
        if isinstance(data, dict) and "baseURL" in data:
            raise InvalidValueError(
                Problem(("baseURL",), "can't be set for all: each endpoint has its own. Move it there")
            )
        return data


class BuiltInSection(SharedSection):
    """An endpoint that agentbench knows by name."""

    ignored: ClassVar = {"plugins": "there are no plugins here", "summarize": _UI, "summaryModel": _UI}

    api_key: Key | None = Field(
        default=None,
        alias="apiKey",
        examples=["${TEAM_KEY}"],
        description="its key; `user_provided`: each person's own",
    )
    base_url: _Url | None = Field(
        default=None,
        alias="baseURL",
        examples=["https://proxy.example/v1"],
        description="where it is; `user_provided`: each person's own",
    )
    models: ModelsSection = Field(default_factory=lambda: ModelsSection(fetch=True))
    add_params: dict[str, Any] = Field(
        default_factory=dict,
        alias="addParams",
        examples=["{top_k: 40}"],
        description="goes into the body of every request, in place of what is there",
    )
    drop_params: list[_Name] = Field(
        default_factory=list,
        alias="dropParams",
        examples=["[user]"],
        description="keys that are taken out of the body of every request",
    )
    token_config: TokenConfig = Field(default_factory=dict, alias="tokenConfig")


class OpenAISection(BuiltInSection):
    """OpenAI."""

    use_responses_api: bool = Field(
        default=False,
        alias="useResponsesApi",
        examples=[True],
        description="whether to speak Responses instead of Chat Completions",
    )


class AnthropicSection(BuiltInSection):
    """Anthropic."""

    ignored: ClassVar = {"vertex": _VERTEX}


class GoogleSection(BuiltInSection):
    """Google's Gemini API."""

    ignored: ClassVar = {"vertex*": _VERTEX}


class OllamaSection(BuiltInSection):
    """Ollama by its own API."""


class BedrockSection(BuiltInSection):
    """Amazon Bedrock."""

    ignored: ClassVar = {
        "availableRegions": "one region answers; name it with 'region'",
        "inferenceProfiles": "name a profile as the model",
    }

    region: _Name | None = Field(default=None, examples=["eu-central-1"], description="the AWS region")
    access_key_id: _Name | None = Field(
        default=None, alias="accessKeyId", examples=["${TEAM_AWS_ID}"], description="signs requests, with the next one"
    )
    secret_access_key: Key | None = Field(
        default=None, alias="secretAccessKey", examples=["${TEAM_AWS_SECRET}"], description="its secret"
    )
    session_token: Key | None = Field(
        default=None, alias="sessionToken", examples=["${TEAM_AWS_TOKEN}"], description="comes with temporary keys"
    )
    guardrail_config: dict[str, str] = Field(
        default_factory=dict,
        alias="guardrailConfig",
        examples=["{guardrailIdentifier: abc, guardrailVersion: '1'}"],
        description="the guardrail that every request goes through",
    )


class CustomSection(OpenAISection):
    """An endpoint that speaks the OpenAI protocol: chat completions, or with `useResponsesApi` responses."""

    ignored: ClassVar = {
        "customOrder": _UI,
        "customParams": _UI,
        "directEndpoint": "the base URL is the address before /chat/completions",
        "forcePrompt": "chats only",
        "iconURL": _UI,
        "modelDisplayLabel": _UI,
        "provider": "what is spoken here is OpenAI's protocol",
        "titleMessageRole": "titles are asked for as the user",
    }

    name: Annotated[str, AfterValidator(_endpoint_name)] = Field(
        examples=["router"], description="what people call it, without `/`; agentbench's own names are taken"
    )
    base_url: _Url = Field(
        alias="baseURL",
        examples=["https://router.example/v1"],
        description="the address before `/chat/completions`; most end in `/v1`; `user_provided`: each person's own",
    )
    models: ModelsSection


class LocalModelSection(Section):
    """A GGUF file; a relative path starts at the config file's folder."""

    name: _Name = Field(examples=["qwen"], description="what people call the model: `local/NAME`")
    path: _Name = Field(
        examples=["models/qwen.gguf"], description="its GGUF file; a relative path starts at the config file's folder"
    )
    context_length: int | None = Field(
        default=None,
        ge=1,
        alias="contextLength",
        examples=[4096],
        description="how many tokens its chats share; none: 8192, or fewer where the model was trained on fewer",
    )


class LocalSection(SharedSection):
    """The models in this process."""

    token_config: TokenConfig = Field(default_factory=dict, alias="tokenConfig")

    models: list[LocalModelSection] = Field(default_factory=list)


class ScriptedSection(SharedSection):
    """The scripts that the `scripted` endpoint plays, by model name."""

    token_config: TokenConfig = Field(default_factory=dict, alias="tokenConfig")

    models: dict[str, Annotated[Script, PlainValidator(read_script)]] = Field(
        min_length=1, description="what that model says; see [scripts](#scripts)"
    )
