"""Who calls: bearer tokens, verified with one public key; scopes and tenant.

Source: RFC 6750, The OAuth 2.0 Authorization Framework: Bearer Token Usage.
"""

from dataclasses import dataclass
from typing import Final

from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from services.runtime import tokens
from services.runtime.http.problems import Problem

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, for which tenant, and what they may do."""

    subject: str
    tenant: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the caller holds a scope."""
        return scope in self.scopes


class Require(SecurityBase):
    """A dependency that gives the caller, and refuses one without the scope."""

    def __init__(self, scope: str) -> None:
        self.model = HTTPBearerModel(description="A token as `bonus token` makes it, with the route's scope.")
        self.scheme_name = "bearer"
        self.scope = scope

    async def __call__(self, connection: HTTPConnection) -> Caller:
        """Give the caller. Problems: 401 with the token's own code, 403 `scope_missing`."""
        caller = authenticate(connection)
        if self.scope not in caller.scopes:
            raise Problem(
                403,
                "scope_missing",
                "Not allowed",
                f"this needs a token with the scope {self.scope}",
                facts={"scope": self.scope},
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self.scope}"'},
            )
        return caller


def require(scope: str) -> Require:
    """A dependency for routes: `caller: Annotated[Caller, Security(require("ledger:read"))]`."""
    return Require(scope)


def authenticate(connection: HTTPConnection) -> Caller:
    """The caller that the Authorization header names. Problem 401: `token_missing` or the token's own code."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "token_missing", "Who calls?", "send Authorization: Bearer <token>", headers=_CHALLENGE)
    state = connection.app.state
    if state.token_key is None:
        raise Problem(401, "token_key_unset", "No key", "this service was given no public key", headers=_CHALLENGE)
    try:
        claims = tokens.verify(state.token_key, token.strip(), state.clock(), state.token_audience)
    except tokens.TokenError as error:
        raise Problem(401, error.code, "This token is not good", str(error), headers=_CHALLENGE) from error
    connection.scope["bonus.caller"] = claims.subject
    return Caller(claims.subject, claims.tenant, claims.scopes)
