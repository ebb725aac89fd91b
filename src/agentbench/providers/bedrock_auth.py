"""Who asks Amazon Bedrock: AWS keys and their signatures. botocore signs, and finds the keys that nobody configured."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2

from agentbench.errors import MissingExtra, UpstreamRefused
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.endpoint import AwsKeys, Endpoint

__all__ = ["Chain", "Found", "SigV4", "need_botocore", "static_credentials"]

_METADATA_TIMEOUT = 1  # seconds to ask whether this is a machine of AWS's that has a role


def need_botocore() -> None:
    """Raise `MissingExtra` unless botocore is installed."""
    try:
        import botocore  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingExtra("bedrock", "Amazon Bedrock") from error


class SigV4(httpx2.Auth):
    """Signs each request as it is sent, with AWS's Signature Version 4: address, host, type, time and body."""

    requires_request_body = True

    def __init__(self, credentials: Any, *, region: str, service: str) -> None:
        from botocore.auth import SigV4Auth

        self._signer = SigV4Auth(credentials, service, region)

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        from botocore.awsrequest import AWSRequest

        headers = {name: request.headers[name] for name in ("host", "content-type") if name in request.headers}
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        headers["x-amz-date"] = request.headers["x-amz-date"] = time
        if token := self._signer.credentials.token:
            headers["x-amz-security-token"] = request.headers["x-amz-security-token"] = token
        signed = AWSRequest(method=request.method, url=str(request.url), data=request.content, headers=headers)
        signed.context["timestamp"] = time
        request.headers["authorization"] = self._authorization(signed)
        yield request

    def _authorization(self, request: Any) -> str:
        """Return the header: step by step, as botocore's `add_auth` would write the session token to its log."""
        signer = self._signer
        names = signer.signed_headers(signer.headers_to_sign(request))
        signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        return f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"


def static_credentials(keys: AwsKeys) -> Any:
    """Return configured keys as botocore's."""
    from botocore.credentials import Credentials

    token = keys.session_token
    return Credentials(keys.access_key_id, keys.secret_access_key.reveal(), None if token is None else token.reveal())


class Found(NamedTuple):
    """What botocore found: credentials that are valid now, and the region of the same profile."""

    credentials: Any
    region: str | None


class Chain:
    """botocore's own search: environment, profiles, single sign-on, containers, machines. What it found is kept."""

    _lock = threading.Lock()  # one for all, as there is one logger

    def __init__(self) -> None:
        self._session: Any = None
        self._credentials: Any = None

    def find(self, endpoint: Endpoint) -> Found:
        """Return valid credentials, renewed if they must be; raises `UpstreamRefused`. Blocks, for seconds at worst."""
        from botocore.exceptions import BotoCoreError

        try:
            with self._lock, _without_details():
                return self._find(endpoint)
        except BotoCoreError as error:
            said = shown(error, endpoint)
            raise UpstreamRefused(
                f"{endpoint.name}: AWS gives no credentials: {said}", endpoint=endpoint.name
            ) from None

    def _find(self, endpoint: Endpoint) -> Found:
        from botocore.session import Session

        if self._credentials is None:
            self._session = Session()
            self._session.set_config_variable("metadata_service_timeout", _METADATA_TIMEOUT)
            self._credentials = self._session.get_credentials()
        if self._credentials is None:
            raise UpstreamRefused(
                f"{endpoint.name} has no AWS credentials. Set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (aws configure, aws sso login).",
                endpoint=endpoint.name,
            )
        return Found(self._credentials.get_frozen_credentials(), self._session.get_config_variable("region"))


@contextmanager
def _without_details() -> Iterator[None]:
    """Keep botocore's DEBUG messages from the log: they hold what the services answer, keys and all."""
    logger = logging.getLogger("botocore")
    level = logger.level
    logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
    try:
        yield
    finally:
        logger.setLevel(level)
