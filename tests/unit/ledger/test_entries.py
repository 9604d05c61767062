"""Events of the log are read for replay by what they say, and what they say wrongly is kept beside them."""

import orjson
import pytest

from services.ledger.verify.entry import Data, Envelope, envelope_in, stamp

ACCRUED = {
    "specversion": "1.0",
    "type": "bonus.points.accrued.v1",
    "id": "41dcb98a-761a-51dd-b5f3-878fd656a764",
    "time": "2026-03-05T17:04:13.000001+00:00",
    "tenant": "default",
    "data": {
        "account_id": "31f3926b-7ee3-5cb5-aab3-53543833156b",
        "version": 6,
        "command_id": "8fe09a3e-ff0b-5e99-a21c-7cd75517369c",
        "balances": {"points": {"scale": 2, "pending": 19, "available": 0, "held": 0, "in_transit": 0, "debt": 0}},
    },
}


def test_data_of_another_shape_leave_an_outline_and_a_fault() -> None:
    """An event that cannot be applied still tells which account, version and command it is of."""
    altered = orjson.dumps(ACCRUED).replace(b'"available"', b'"wherever"')
    envelope, fault = envelope_in(altered)
    data = Data(
        account_id="31f3926b-7ee3-5cb5-aab3-53543833156b",
        version=6,
        command_id="8fe09a3e-ff0b-5e99-a21c-7cd75517369c",
    )
    expected = Envelope(
        "41dcb98a-761a-51dd-b5f3-878fd656a764", "bonus.points.accrued.v1", "2026-03-05T17:04:13.000001+00:00", data,
        "default",
    )  # fmt: skip
    assert (envelope, fault) == (
        expected,
        "ValidationError('Object missing required field `available` - at `$.data.balances[...]`')",
    )


def test_what_is_as_it_should_be_has_no_fault() -> None:
    """An event of the log is read whole."""
    envelope, fault = envelope_in(orjson.dumps(ACCRUED))
    assert (envelope.data.balances["points"].pending, fault) == (19, None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b'{"data": null, "id": "a"}', b"\xff"])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    """Bytes that are no event at all are an error, of a kind that the chain names."""
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        envelope_in(body)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-05T17:04:13+00:00", "2026-03-05 17:04:13+00"),
        ("2026-03-05T17:04:13.000001+00:00", "2026-03-05 17:04:13.000001+00"),
        ("2026-03-05T17:04:13.120000+00:00", "2026-03-05 17:04:13.12+00"),
        ("2026-03-05T17:04:13.5+02:00", "2026-03-05 15:04:13.5+00"),
        ("2026-03-05T17:04:13Z", "2026-03-05 17:04:13+00"),
    ],
)
def test_an_instant_is_written_as_postgresql_writes_it(text: str, written: str) -> None:
    """Without trailing zeros, in UTC, wherever it was written."""
    assert stamp(text) == written
