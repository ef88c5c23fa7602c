"""The answers that docs/reference/http.md shows for reservations and transfers are such as their requests get."""

from typing import Any

import pytest

from tests.docs.http_page import answer_example, request_example
from tests.harness.openapi import document

LEDGER = document("openapi.yaml")
OF_RESERVATIONS = {
    "reserve": ("pending", ["hold"]),
    "commitReservation": ("fulfilled", ["fulfil"]),  # the request asks for both at once
    "fulfilReservation": ("committed", ["fulfil"]),  # of one of two units
    "cancelReservation": ("pending", ["release"]),  # of one of three units
    "extendReservation": ("pending", ["hold"]),
    "changeReservation": ("pending", ["hold"]),
}
OF_TRANSFERS = {
    "sendTransfer": ("in_transit", ["transfer", "transit"]),
    "receiveTransfer": ("received", ["transfer", "mixed"]),  # of what was in transit, a part arrived and a part is lost
    "returnTransfer": ("in_transit", ["transfer", "transit"]),
    "closeTransfer": ("lost", ["lost"]),
}
EXPECTED = {**OF_RESERVATIONS, **OF_TRANSFERS}


def shown(name: str) -> Any:
    return answer_example(LEDGER, LEDGER.operations[name][2])[1]


@pytest.mark.parametrize("name", EXPECTED)
def test_an_answer_shown_is_about_what_its_request_asks_for(name: str) -> None:
    answer = shown(name)
    whole = answer.get("reservation") or answer["transfer"]
    assert (whole["state"], [event["kind"] for event in answer["events"]]) == EXPECTED[name]
    asked = request_example(LEDGER.operations[name][2]).get("lines", whole["lines"])
    assert {line["sku"] for line in asked} == {line["sku"] for line in whole["lines"]}
    assert {event["sku"] for event in answer["events"]} == {line["sku"] for line in asked}


@pytest.mark.parametrize("name", [*EXPECTED, "getReservation", "getTransfer", "listReservations", "listTransfers"])
def test_the_numbers_of_an_answer_shown_agree(name: str) -> None:
    answer = shown(name)
    listed = answer.get("reservations") or answer.get("transfers")
    for whole in listed or [answer.get("reservation") or answer.get("transfer") or answer]:
        for line in whole["lines"]:
            assert line["quantity"] == sum(line[state] for state in line.keys() - {"sku", "location", "quantity"})
            assert "expires_at" not in whole or (whole["expires_at"] is None) == (line["pending"] == 0)
    for event, level in zip(answer.get("events", []), answer.get("levels", []), strict=True):
        assert level == {field: event[field] for field in level}
        assert event["available"] == event["on_hand"] - event["reserved"]
