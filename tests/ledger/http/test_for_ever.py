"""What the database keeps for ever is computed as the first release did: else a key that was used is used by nobody.

A later field of a line goes into the hash only where it says something.
"""

from datetime import datetime, timedelta, timezone

import pytest

from ledger.access.keys import hash_secret
from ledger.commit.line import Line
from ledger.commit.operation import operation_id
from ledger.http.idempotency import request_hash

AT = datetime(2026, 11, 22, 11, tzinfo=timezone(timedelta(hours=1)))
SALE = Line("A-100", "berlin", 2, "sale", -2, reference="order-4711", occurred_at=AT)
RETURN = Line("靴-42", "東京", 0, "return", 1, expected_version=7, reason="too small")
COUNT = Line("A-100", "berlin", 2, "count", 12, expected_version=7, precondition=True)


@pytest.mark.parametrize(
    ("kind", "lines", "digest"),
    [
        ("movements", [SALE], "c85a7d88c830ea10891929103e30ceb95f4c63945a70e0997db19ceba2ee519f"),
        ("movements", [SALE, RETURN], "099bb62c37d331af0a3692e3b8f2673d0286d7e84e79b24536418ed04a34c7f0"),
        ("count", [COUNT], "1358baf23fb42ef37be6dd557685c1090dd3511e06c1813a54daf4ea67199077"),
    ],
)
def test_a_request_has_the_hash_that_it_was_stored_with(kind: str, lines: list[Line], digest: str) -> None:
    assert request_hash(kind, lines).hex() == digest


def test_a_key_has_the_operation_that_it_was_stored_with() -> None:
    assert operation_id("till-7", "order-4711") == "656de39c-ce4e-b27c-7960-7e8340ee3398"


def test_an_api_key_has_the_hash_that_it_was_stored_with() -> None:
    assert hash_secret("s3cret").hex() == "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
