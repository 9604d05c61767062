from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from services.runtime import tokens
from services.runtime.tokens import Claims, Verifier

NOW = datetime(2026, 3, 5, 16, 4, 13, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
PRIVATE, PUBLIC = tokens.new_key_pair()
OTHER_PRIVATE, OTHER_PUBLIC = tokens.new_key_pair()


def issued(**changes: Any) -> str:
    given: dict[str, Any] = {
        "subject": "till-3",
        "tenant": "default",
        "scopes": ["ledger:write", "ledger:read"],
        "now": NOW,
        "lifetime_s": 60,
    }
    return tokens.issue(PRIVATE, **(given | changes))


def signed(**changes: Any) -> str:
    """A token with the right signature and whatever claims."""
    claims = {"sub": "till-3", "tenant": "default", "scope": "", "aud": "bonus", "iat": NOW_S, "exp": NOW_S + 60}
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(kept, PRIVATE, algorithm="EdDSA")


def test_a_token_says_who_calls_for_whom_and_what_he_may_do() -> None:
    """What was issued is what a service reads, whatever the order of the scopes."""
    assert tokens.verify(PUBLIC, issued(), NOW) == Claims(
        subject="till-3", tenant="default", scopes=frozenset({"ledger:read", "ledger:write"}), expires_at=NOW_S + 60
    )


def test_a_token_without_scopes_is_good_and_allows_nothing() -> None:
    """Who calls is known even if nothing is allowed: the answer is then 403, not 401."""
    assert tokens.verify(PUBLIC, issued(scopes=[]), NOW).scopes == frozenset()


def test_a_token_of_another_key_is_refused() -> None:
    """Only the holder of this installation's private key lets people in."""
    with pytest.raises(tokens.ForgedTokenError):
        tokens.verify(OTHER_PUBLIC, issued(), NOW)


def test_a_token_whose_claims_were_changed_is_refused() -> None:
    """A signature is for these claims alone."""
    head, _, signature = issued(tenant="default").split(".")
    _, claims, _ = issued(tenant="rival").split(".")
    with pytest.raises(tokens.ForgedTokenError):
        tokens.verify(PUBLIC, f"{head}.{claims}.{signature}", NOW)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_of_another_algorithm_is_refused(algorithm: str) -> None:
    """A caller cannot choose no signature, nor make the public key into a shared secret."""
    claims = {"sub": "till-3", "tenant": "default", "scope": "", "aud": "bonus", "iat": NOW_S, "exp": NOW_S + 60}
    key = "k" * 32 if algorithm == "HS256" else ""
    forged = jwt.encode(claims, key, algorithm=algorithm)
    with pytest.raises(tokens.MalformedTokenError):
        tokens.verify(PUBLIC, forged, NOW)


def test_a_token_is_good_until_the_second_in_which_it_expires() -> None:
    """Valid from `now` for `lifetime_s` seconds: the last second counts, the next does not."""
    token = issued(lifetime_s=60)
    verifier = Verifier(PUBLIC)
    assert verifier.verify(token, NOW + timedelta(seconds=59)).expires_at == NOW_S + 60
    with pytest.raises(tokens.ExpiredTokenError):
        verifier.verify(token, NOW + timedelta(seconds=60))


def test_a_remembered_token_expires_like_any_other() -> None:
    """The cache saves the signature's cost, not the look at the clock; and it does not keep what has expired."""
    token = issued(lifetime_s=60)
    verifier = Verifier(PUBLIC)
    assert verifier.verify(token, NOW) == verifier.verify(token, NOW)
    assert list(verifier._verified) == [token]
    with pytest.raises(tokens.ExpiredTokenError):
        verifier.verify(token, NOW + timedelta(seconds=61))
    assert list(verifier._verified) == []


def test_the_signature_of_a_remembered_token_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A till sends the same token with every request; checking costs a tenth of a millisecond each time."""
    token = issued()
    verifier = Verifier(PUBLIC)
    first = verifier.verify(token, NOW)
    monkeypatch.setattr(jwt, "decode", None)
    assert verifier.verify(token, NOW) == first


def test_the_cache_is_bounded_and_forgets_who_called_longest_ago() -> None:
    """Tokens are made by others, so their number is not ours to trust."""
    verifier = Verifier(PUBLIC, capacity=2)
    first, second, third = (issued(subject=name) for name in ("a", "b", "c"))
    for token in (first, second, first, third):
        verifier.verify(token, NOW)
    assert list(verifier._verified) == [first, third]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tenant": None}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"tenant": 7}, "tenant"),
        ({"sub": None}, "sub"),
        ({"scope": None}, "scope"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
    ],
)
def test_a_token_that_lacks_a_claim_is_refused_by_its_name(changes: dict[str, Any], named: str) -> None:
    """No claim has a default: a token without a tenant must not read the tenant `default`."""
    with pytest.raises(tokens.IncompleteTokenError, match=f"'{named}'"):
        tokens.verify(PUBLIC, signed(**changes), NOW)


def test_a_token_for_another_audience_is_refused() -> None:
    """A confirmation code's token, signed by the same key, opens no API."""
    with pytest.raises(tokens.ForeignTokenError):
        tokens.verify(PUBLIC, issued(audience="confirmation"), NOW)
    assert tokens.verify(PUBLIC, issued(audience="confirmation"), NOW, audience="confirmation").subject == "till-3"


def test_a_token_from_the_future_is_refused_beyond_what_clocks_differ() -> None:
    """Two machines' clocks may differ by half a minute, not by more."""
    verifier = Verifier(PUBLIC)
    assert verifier.verify(issued(now=NOW + timedelta(seconds=30)), NOW).subject == "till-3"
    with pytest.raises(tokens.EarlyTokenError):
        verifier.verify(issued(now=NOW + timedelta(seconds=31)), NOW)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "." * 5000, "Bearer x"])
def test_what_is_no_token_is_refused_as_such(text: str) -> None:
    """Whatever a caller puts there, the answer is a refusal, never a fault."""
    with pytest.raises(tokens.MalformedTokenError):
        tokens.verify(PUBLIC, text, NOW)


def test_every_refusal_has_a_stable_code_of_its_own() -> None:
    """Callers branch on codes, not on sentences."""
    codes = {kind.code for kind in tokens.TokenError.__subclasses__()}
    assert codes == {
        "token_malformed",
        "token_forged",
        "token_expired",
        "token_from_future",
        "token_for_others",
        "token_incomplete",
    }


def test_other_claims_are_signed_and_read_with_keys_handed_over_by_value() -> None:
    """A confirmation says amounts, not scopes; key pair in base64, as environments carry it."""
    private, public = map(str, tokens.new_encoded_key_pair())
    claims = {"aud": "confirmation", "iat": NOW_S, "exp": NOW_S + 60, "points": "500"}
    token = tokens.sign(tokens.private_key_of(private), claims)
    key = tokens.public_key_of(public)
    assert tokens.read(key, token, "confirmation", NOW) == claims
    with pytest.raises(tokens.ExpiredTokenError):
        tokens.read(key, token, "confirmation", NOW + timedelta(seconds=60))
    with pytest.raises(tokens.ForeignTokenError):
        tokens.read(key, token, "bonus", NOW)
    with pytest.raises(tokens.ForgedTokenError):
        tokens.read(tokens.public_key_of(tokens.new_encoded_key_pair()[1]), token, "confirmation", NOW)


@pytest.mark.parametrize("encoded", ["", "AAAA", "not base64!"])
def test_a_key_of_another_length_or_alphabet_is_refused(encoded: str) -> None:
    """At the start of the process, not at the first member who confirms."""
    with pytest.raises(ValueError, match="key"):
        tokens.private_key_of(encoded)
