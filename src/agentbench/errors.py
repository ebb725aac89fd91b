"""Every error that agentbench raises on purpose.

    AgentbenchError               500  server_error                 the root; also what nobody foresaw
    ├── InvalidRequest            400  invalid_request              the caller must change something
    │   ├── UnknownName           404  not_found                    no such agent, endpoint, model or conversation
    │   ├── PreviousNotFound      400  previous_response_not_found  nothing to continue from
    │   ├── ContextTooLong        400  context_length_exceeded      the conversation outgrew the model
    │   ├── RequestTooLarge       413  request_too_large            the body is over the gateway's limit
    │   └── Unreadable            400  unreadable_file              a file or a page whose text can't be had
    ├── ConfigError               500  config_error                 the operator must change a file
    ├── NotAuthenticated          401  invalid_api_key              a credential that isn't valid
    │   ├── MissingCredential     401  missing_api_key              no credential at all
    │   └── TokenExpired          401  token_expired                a token that was valid once
    ├── PermissionDenied          403  permission_denied            known, but not allowed to do this
    │   └── InsufficientScope     403  insufficient_scope           the token lacks a scope
    ├── PaymentRequired           402  payment_required             a call that nobody may pay for
    │   ├── InsufficientBalance   402  insufficient_balance         carries `balance` and `needed`, in credits
    │   └── BudgetExceeded        402  budget_exceeded              a limit that the person set here
    ├── RateLimited               429  rate_limit_exceeded          carries `retry_after` seconds
    ├── IssuerUnavailable         503  jwks_unavailable             an issuer's keys can't be had
    ├── MissingExtra              501  missing_extra                `pip install "agentbench[extra]"`
    ├── WeightsUnavailable        503  weights_unavailable          a local model's file isn't there
    ├── StorageError              500  storage_error                the database can't be opened or written
    └── UpstreamError             502  upstream_error               a provider did not answer as it should
        ├── AnswerFailed          502  answer_failed                it broke off; carries the `response` so far
        ├── UpstreamRefused       502  upstream_refused             401, 402, 403: a wrong key, or one that may not
        ├── UpstreamRejected      400  upstream_rejected            400, 404, 422: the provider says what is wrong
        │   └── UpstreamNotFound  400  upstream_rejected            404: it doesn't know what was named
        ├── UpstreamRateLimited   429  rate_limit_exceeded          carries `retry_after` seconds
        ├── UpstreamUnavailable   503  upstream_unavailable         5xx (with `retry_after`), no connection, dropped
        ├── UpstreamTimeout       504  upstream_timeout             silent for too long, or 408
        ├── UpstreamGarbled       502  upstream_garbled             not the JSON or events of its protocol
        └── CassetteMiss          502  cassette_miss                a replayed cassette holds no such request

Each row gives the HTTP status and the `code`. A message is one or two short sentences: what happened, then what to
do. Surfaces give an error their own shape from `status`, `type`, `code` and `param`.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AgentbenchError",
    "AnswerFailed",
    "BudgetExceeded",
    "CassetteMiss",
    "ConfigError",
    "ContextTooLong",
    "InsufficientBalance",
    "InsufficientScope",
    "InvalidRequest",
    "IssuerUnavailable",
    "MissingCredential",
    "MissingExtra",
    "NotAuthenticated",
    "PaymentRequired",
    "PermissionDenied",
    "PreviousNotFound",
    "RateLimited",
    "RequestTooLarge",
    "StorageError",
    "TokenExpired",
    "UnknownName",
    "Unreadable",
    "UpstreamError",
    "UpstreamGarbled",
    "UpstreamNotFound",
    "UpstreamRateLimited",
    "UpstreamRefused",
    "UpstreamRejected",
    "UpstreamTimeout",
    "UpstreamUnavailable",
    "WeightsUnavailable",
    "nearest",
]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like `name`, or the first that begins with it; None if none does."""
    by_fold = {each.casefold(): each for each in known}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_fold, n=1, cutoff=0.6)
    longer = [each for each in by_fold if each.startswith(folded)] if folded else []
    return by_fold[(close or longer)[0]] if close or longer else None


class AgentbenchError(Exception):
    """The root: catch it to catch everything that agentbench raises on purpose."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "server_error"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param

    def _render_traceback_(self) -> list[str]:
        """Show one line instead of a stack in IPython, which asks exceptions for this method."""
        return [f"{type(self).__name__}: {self.message}"]


class InvalidRequest(AgentbenchError):
    """The request can't be answered as it stands; `param` names the part to change."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class UnknownName(InvalidRequest):
    """No agent, endpoint, model, conversation or response of that name; the nearest known one is suggested."""

    status = 404
    type = "not_found_error"
    code = "not_found"

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), *, param: str | None = None) -> None:
        known = list(known)
        close = nearest(name, known)
        hint = f" Did you mean {close!r}?" if close else ""
        if not close and known:
            hint = f" Known: {', '.join(known[:8])}{', …' if len(known) > 8 else ''}."  # noqa: PLR2004 - a line's worth
        super().__init__(f"There is no {kind} {name!r}.{hint}", param=param)
        self.kind = kind
        self.name = name
        self.suggestion = close


class PreviousNotFound(InvalidRequest):
    """The response to continue from isn't stored, or is someone else's."""

    code = "previous_response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(f"There is no stored response {response_id!r} to continue from.", param="previous_response_id")


class ContextTooLong(InvalidRequest):
    """The conversation no longer fits the model's context window."""

    code = "context_length_exceeded"


class RequestTooLarge(InvalidRequest):
    """The request's body is larger than the gateway reads."""

    status = 413
    code = "request_too_large"


class Unreadable(InvalidRequest):
    """The text of a file or of a web page can't be had."""

    code = "unreadable_file"


class ConfigError(AgentbenchError):
    """A config file is wrong; the message names file, line, key and the nearest known key."""

    type = "config_error"
    code = "config_error"


class NotAuthenticated(AgentbenchError):
    """The credential isn't valid: unknown, revoked, expired, or of an account that is gone."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class MissingCredential(NotAuthenticated):
    """No credential came with the request."""

    code = "missing_api_key"


class TokenExpired(NotAuthenticated):
    """The token was valid until it expired."""

    code = "token_expired"


class PermissionDenied(AgentbenchError):
    """The caller is known, but may not do this."""

    status = 403
    type = "permission_error"
    code = "permission_denied"


class InsufficientScope(PermissionDenied):
    """The token is valid, but lacks one of the required scopes."""

    code = "insufficient_scope"


class PaymentRequired(AgentbenchError):
    """The call would cost more than there is; nothing was sent."""

    status = 402
    type = "insufficient_quota"
    code = "payment_required"


class InsufficientBalance(PaymentRequired):
    """The user's balance is too small; `balance` and `needed` are in credits, a millionth of a US dollar."""

    code = "insufficient_balance"

    def __init__(self, balance: float, needed: float) -> None:
        super().__init__(
            f"The balance is too small: this call may take {needed:,.0f} credits, and {max(0.0, balance):,.0f} are"
            " there. Lower max_output_tokens, or ask the operator for more."
        )
        self.balance = balance
        self.needed = needed


class BudgetExceeded(PaymentRequired):
    """The call would pass a limit that was set for a notebook or a block."""

    code = "budget_exceeded"


class RateLimited(AgentbenchError):
    """More requests than a key or an account may make; `retry_after` is in seconds."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class IssuerUnavailable(AgentbenchError):
    """The issuer of a token doesn't give the keys to check it with."""

    status = 503
    type = "service_unavailable"
    code = "jwks_unavailable"


class MissingExtra(AgentbenchError):
    """An optional part isn't installed."""

    status = 501
    type = "missing_extra"
    code = "missing_extra"

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs an optional part. Install it: pip install "agentbench[{extra}]"')
        self.extra = extra


class WeightsUnavailable(AgentbenchError):
    """The file of a local model isn't there and couldn't be fetched."""

    status = 503
    type = "weights_unavailable"
    code = "weights_unavailable"


class StorageError(AgentbenchError):
    """The database can't be opened, read or written."""

    type = "storage_error"
    code = "storage_error"


class UpstreamError(AgentbenchError):
    """A provider did not answer as it should; `endpoint` names it. `retry_after` is in seconds, None if unknown."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"

    def __init__(self, message: str, *, endpoint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.retry_after = retry_after


class AnswerFailed(UpstreamError):
    """An answer broke off after it had begun; `response` holds what came."""

    type = "answer_failed"
    code = "answer_failed"

    def __init__(self, message: str, response: Any) -> None:
        super().__init__(message)
        self.response = response


class UpstreamRefused(UpstreamError):
    """The provider answered 401 or 403, or gives no more credit."""

    type = "upstream_refused"
    code = "upstream_refused"


class UpstreamRejected(UpstreamError):
    """The provider found the request wrong (400, 404, 413, 422 …)."""

    status = 400
    type = "invalid_request_error"
    code = "upstream_rejected"


class UpstreamNotFound(UpstreamRejected):
    """The provider answered 404: it doesn't know what was named, or the address."""


class UpstreamRateLimited(UpstreamError):
    """The provider answered 429."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"


class UpstreamUnavailable(UpstreamError):
    """The provider can't be reached, dropped the connection or answered 5xx."""

    status = 503
    type = "upstream_unavailable"
    code = "upstream_unavailable"


class UpstreamTimeout(UpstreamError):
    """The provider was silent for too long."""

    status = 504
    type = "upstream_timeout"
    code = "upstream_timeout"


class UpstreamGarbled(UpstreamError):
    """The provider sent something that isn't its protocol (HTML, broken JSON, unknown frames)."""

    type = "upstream_garbled"
    code = "upstream_garbled"


class CassetteMiss(UpstreamError):
    """What was asked isn't among what a cassette that is replayed has recorded."""

    type = "cassette_miss"
    code = "cassette_miss"
