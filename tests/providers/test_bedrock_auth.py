"""Who asks Bedrock: signatures as botocore makes them, and where credentials, regions and addresses come from."""

from __future__ import annotations

import builtins
import logging
import os
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.providers.speak_bedrock import ACCESS_KEY, ARN, LISTED, SECRET_KEY
from tests.providers.upstream import reply

from agentbench.config import AwsKeys, Endpoint, Secret
from agentbench.errors import MissingExtra, UpstreamGarbled, UpstreamRefused, UpstreamUnavailable
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.providers.bedrock import Bedrock
from agentbench.providers.bedrock_auth import Chain, Found, SigV4
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.providers.upstream import Upstream

pytestmark = pytest.mark.anyio

HI = (user_message("Hi"),)
KEYS = AwsKeys(access_key_id=ACCESS_KEY, secret_access_key=Secret(SECRET_KEY))
NO_KEYS = Endpoint(name="bedrock", provider="bedrock", region="us-east-1")
WITH_KEYS = msgspec.structs.replace(NO_KEYS, aws_keys=KEYS)
RUNTIME, MANTLE = "https://bedrock-runtime.{}.amazonaws.com", "https://bedrock-mantle.us-west-2.api.aws"
CONVERSE, CHAT = "/model/m%3A0/converse-stream", "/openai/v1/chat/completions"
PROFILE = "[profile mine]\naws_access_key_id = AKIDMINE\naws_secret_access_key = s\nregion = sa-east-1\n"
TOKEN = "a-session-token-0123456789"
ROLE = f"""
<AssumeRoleResponse><AssumeRoleResult><Credentials>
<AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>
<SessionToken>{TOKEN}</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>
"""
SCOPE = re.compile(r"Credential=(\w+)/\d+/([\w-]+)/([\w-]+)/aws4_request")


@pytest.fixture(autouse=True)
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this machine's AWS settings; there is one profile, `mine`, which nothing selects."""
    (tmp_path / "config").write_text(PROFILE)
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


class Seen:
    """A client that goes nowhere: it answers each request with JSON and keeps it."""

    def __init__(self, answer: Callable[[httpx2.Request], Any] = lambda _: {}) -> None:
        self.requests: list[httpx2.Request] = []
        self._answer = answer
        self.bedrock = Bedrock(Http(transport=httpx2.MockTransport(self._respond)))

    def _respond(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json=self._answer(request))

    async def asked(self, endpoint: Endpoint, model: str = "m") -> tuple[str, str]:
        """Return the address and the authorization of a request."""
        request = CreateResponse(model=model, input=HI)
        async with self.bedrock.open(self.bedrock.encode(request, endpoint), endpoint):
            pass
        return str(self.requests[-1].url), self.requests[-1].headers["authorization"]


@pytest.mark.parametrize("token", [None, "a-session-token"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/model/anthropic.claude-v2%3A1/converse-stream", '{"messages":"안녕"}'.encode()),
        ("POST", "/model/arn%3Aaws%3Abedrock%3Ainference-profile%2Fx/converse-stream", b"{}"),
        ("POST", "/some%20gateway//here/~me/model/m/converse-stream", b""),
        ("GET", "/inference-profiles?maxResults=1000&b=%2F&a=x%20y", b""),
    ],
)
def test_same_signature(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: bytes, token: str | None
) -> None:
    """The signature is the one that botocore gives to the same request at that time."""
    request = httpx2.Request(method, f"https://example.org:8443{path}", content=body, headers={"content-type": "a/b"})
    credentials = Credentials(ACCESS_KEY, SECRET_KEY, token)
    next(SigV4(credentials, region="us-east-1", service="bedrock").auth_flow(request))
    now = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: now)
    named = {"host": "example.org:8443", "content-type": "a/b"}
    same = AWSRequest(method=method, url=f"https://example.org:8443{path}", data=body, headers=named)
    SigV4Auth(credentials, "bedrock", "us-east-1").add_auth(same)
    assert request.headers["authorization"] == same.headers["Authorization"]
    assert request.headers.get("x-amz-security-token") == token


@pytest.mark.parametrize(
    ("base_url", "region", "url", "scope"),
    [
        (None, "eu-west-1", RUNTIME.format("eu-west-1") + CONVERSE, "eu-west-1/bedrock"),
        (RUNTIME.format("us-east-2"), "eu-west-1", RUNTIME.format("us-east-2") + CONVERSE, "us-east-2/bedrock"),
        ("https://gw.example.org/aws/", "eu-west-1", f"https://gw.example.org/aws{CONVERSE}", "eu-west-1/bedrock"),
        (f"{RUNTIME}/openai/v1".format("a-b-1"), None, f"{RUNTIME}{CHAT}".format("a-b-1"), "a-b-1/bedrock"),
        (f"{MANTLE}/openai/v1", None, f"{MANTLE}{CHAT}", "us-west-2/bedrock-mantle"),
    ],
)
async def test_address_and_scope(base_url: str | None, region: str | None, url: str, scope: str) -> None:
    """The address comes from the region or the configuration, and what is signed goes with it."""
    endpoint = msgspec.structs.replace(WITH_KEYS, base_url=base_url, region=region)
    asked, authorization = await Seen().asked(endpoint, "m:0")
    found = SCOPE.search(authorization)
    assert found is not None
    assert (asked, f"{found[2]}/{found[3]}") == (url, scope)


@pytest.mark.parametrize("aws_keys", [msgspec.structs.replace(KEYS, session_token=Secret(TOKEN)), None])
async def test_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, aws_keys: AwsKeys | None) -> None:
    """No secret gets into anyone's log, be it at the most talkative, wherever the keys come from."""
    caplog.set_level(logging.DEBUG)
    given = (("ACCESS_KEY_ID", ACCESS_KEY), ("SECRET_ACCESS_KEY", SECRET_KEY), ("SESSION_TOKEN", TOKEN))
    for name, value in given:
        monkeypatch.setenv(f"AWS_{name}", value)
    seen = Seen()
    _, authorization = await seen.asked(msgspec.structs.replace(NO_KEYS, aws_keys=aws_keys))
    assert seen.requests[0].headers["x-amz-security-token"] == TOKEN
    secrets = (SECRET_KEY, TOKEN, authorization.rpartition("=")[2])
    assert [secret for secret in secrets if secret in caplog.text] == []


async def test_log_of_the_search(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, upstream: Upstream
) -> None:
    """Keys that a service gives out for a role stay out of the log; its level is as before then."""
    caplog.set_level(logging.DEBUG)
    role = "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = mine\nregion = sa-east-1\n"
    (tmp_path / "config").write_text(PROFILE + role)
    monkeypatch.setenv("AWS_PROFILE", "role")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", upstream.url)
    upstream.answers = [reply(body=ROLE.encode(), kind="text/xml")]
    assert "Credential=AKIDROLE/" in (await Seen().asked(NO_KEYS))[1]
    assert [secret for secret in (SECRET_KEY, TOKEN) if secret in caplog.text] == []
    assert logging.getLogger("botocore").level == logging.NOTSET


async def test_arn_in_the_path() -> None:
    """An ARN is one segment of the path."""
    asked, _ = await Seen().asked(WITH_KEYS, ARN)
    assert asked.partition("/model/")[2] == (
        "arn%3Aaws%3Abedrock%3Aeu-west-9%3A123456789012%3Ainference-profile%2Feu.acme.text-v1%3A0/converse-stream"
    )


async def test_token_wins() -> None:
    """A bearer token is sent though there are AWS keys, and to any region's address."""
    endpoint = msgspec.structs.replace(WITH_KEYS, api_key=Secret("a-token"), region="us-east-1")
    assert (await Seen().asked(endpoint))[1] == "Bearer a-token"


@pytest.mark.parametrize("endpoint", [WITH_KEYS, msgspec.structs.replace(NO_KEYS, api_key=Secret("a-token"))])
async def test_no_region(endpoint: Endpoint) -> None:
    """Without a region, the error says where to write one."""
    with pytest.raises(UpstreamUnavailable, match=r"endpoints\.bedrock\.region .* AWS_REGION or BEDROCK_AWS"):
        await Seen().asked(msgspec.structs.replace(endpoint, region=None))


async def test_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys, botocore looks for them: here in a profile, which has a region too."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    asked, authorization = await Seen().asked(msgspec.structs.replace(NO_KEYS, region=None))
    assert asked.startswith("https://bedrock-runtime.sa-east-1.amazonaws.com/")
    assert "Credential=AKIDMINE/" in authorization


async def test_chain_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is kept; where nothing was, the next request looks again."""
    seen = Seen()
    with pytest.raises(UpstreamRefused):
        await seen.asked(NO_KEYS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    await seen.asked(NO_KEYS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDSECOND")
    assert "Credential=AKIDFIRST/" in (await seen.asked(NO_KEYS))[1]


async def test_no_credentials() -> None:
    """Without credentials, the error says how to give some."""
    with pytest.raises(UpstreamRefused, match="AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID"):
        await Seen().asked(NO_KEYS)


async def test_unknown_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that isn't there is an error that names it."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UpstreamRefused, match="nobody"):
        await Seen().asked(NO_KEYS)


async def test_chain_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for credentials, which may take seconds, runs on a thread of its own."""
    threads = []

    def find(_: Chain, __: Endpoint) -> Found:
        threads.append(threading.current_thread())
        return Found(Credentials(ACCESS_KEY, SECRET_KEY), None)

    monkeypatch.setattr(Chain, "find", find)
    await Seen().asked(NO_KEYS)
    assert threads[0] is not threading.current_thread()


async def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without botocore, the error names the extra to install; a token on the chat route needs none."""
    real = builtins.__import__

    def without(name: str, *given: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    with_token = msgspec.structs.replace(NO_KEYS, api_key=Secret("a-token"))
    for endpoint in (WITH_KEYS, with_token):
        with pytest.raises(MissingExtra, match=r"agentbench\[bedrock\]"):
            await Seen().asked(endpoint)
    url = "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1"
    assert (await Seen().asked(msgspec.structs.replace(with_token, base_url=url)))[1] == "Bearer a-token"


async def test_models_at_aws() -> None:
    """AWS's control plane lists models, and the profiles that lead to one that streams text."""
    arns = ["us-east-1::foundation-model/profile-only", "us-east-1::foundation-model/embeds"]
    profiles = [
        {"inferenceProfileId": f"us.{number}", "status": "ACTIVE", "models": [{"modelArn": f"arn:aws:bedrock:{arn}"}]}
        for number, arn in enumerate(arns)
    ]
    seen = Seen(
        lambda request: LISTED if "/foundation" in request.url.path else {"inferenceProfileSummaries": profiles}
    )
    assert await seen.bedrock.models(WITH_KEYS) == ("cached", "text", "us.0")
    assert [str(each.url) for each in seen.requests] == [
        "https://bedrock.us-east-1.amazonaws.com/foundation-models?byOutputModality=TEXT",
        "https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1000",
    ]


@pytest.mark.parametrize("answer", [[], {"modelSummaries": [1]}])
async def test_no_models(answer: Any) -> None:
    """What isn't a list of models is an error."""
    with pytest.raises(UpstreamGarbled, match="list of models"):
        await Seen(lambda _: answer).bedrock.models(WITH_KEYS)
