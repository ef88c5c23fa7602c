"""What becomes of a command by the ledger's answer: decided once, laid aside, or asked again, and never lost."""

import orjson
import pytest

from followers.intake.answering import LATER_S_MAX, Answer, Dead, Later, Stop, delivered_too_often, judge, unreadable
from followers.intake.command import parse
from followers.intake.laid_aside import PROBLEM_CHARACTERS_MAX, problem_text
from followers.intake.result import BODY_BYTES_MAX, attributes_of, data_of
from tests.followers.intake.running import command, event_of
from wire.problems import PROBLEMS

DECIDED = {
    *("insufficient-stock", "version-conflict", "below-reserved", "reservation-state", "reservation-expired"),
    *("reservation-limit", "transfer-state"),
}

DONE = b'{"operation": "0b1e6f1c-3c1f-5d0a-9d0e-2f6f3a1c9b77", "events": [], "levels": []}'


def document(type_: str, **more: object) -> bytes:
    return orjson.dumps({"type": type_, "title": "", "status": PROBLEMS[type_][0], **more})


@pytest.mark.parametrize("type_", PROBLEMS)
def test_every_problem_of_the_ledger_has_its_place(type_: str) -> None:
    status = PROBLEMS[type_][0]
    verdict = judge(status, document(type_), 2.0)
    if type_ in DECIDED:
        assert verdict == Answer(status, document(type_))
    elif status in (401, 403, 421):
        assert isinstance(verdict, Stop)
    elif status in (429, 503) or type_ == "idempotency-in-flight":
        assert isinstance(verdict, Later)
        assert verdict.after_s == 2.0
        assert verdict.all_wait == (status != 409)
    elif status >= 500:
        assert isinstance(verdict, Later)
        assert verdict.defect
    else:
        assert verdict == Dead(orjson.loads(document(type_)))


def test_a_wait_is_bounded_and_has_a_default() -> None:
    for told, waited in ((1e9, LATER_S_MAX), (-1.0, 0.0), (None, 1.0)):
        verdict = judge(503, b"no JSON", told)
        assert isinstance(verdict, Later)
        assert verdict.after_s == waited


def test_a_refused_key_is_told_with_the_scope_and_the_fix() -> None:
    verdict = judge(403, document("forbidden", scope="stock:write:berlin"), None)
    assert isinstance(verdict, Stop)
    assert "lacks the scope stock:write:berlin" in verdict.reason
    assert "`stockwire key create intake" in verdict.reason


def test_what_is_done_and_what_is_no_answer_of_a_ledger() -> None:
    assert judge(201, DONE, None) == Answer(201, DONE)
    held = orjson.dumps({"reservation": {"id": "1", "lines": []}, **orjson.loads(DONE)})
    assert judge(201, held, None, "reservation") == Answer(201, held)
    assert isinstance(judge(302, b"", None), Stop)
    for status, body in [
        *((200, b"<html>"), (204, b""), (200, b"[]"), (404, b"<html>"), (405, b""), (409, b"<html>"), (418, b"[]")),
        *((404, b'{"type": "about:blank", "status": 404}'), (404, b'{"type": "https://example.com/no"}'), (499, b"{}")),
        *(
            (404, b'{"type": null}'),
            (200, b"{}"),
            (200, b'{"status": "ok"}'),
            (201, DONE.replace(b'"levels"', b'"other"')),
        ),
        *((201, DONE.replace(b'"events"', b'"other"')), (201, DONE.replace(b"0b1e", b"none"))),
    ]:
        verdict = judge(status, body, None)
        assert isinstance(verdict, Stop), (status, body)
        assert "STOCKWIRE_URL" in verdict.reason
    for body in (DONE, held.replace(b'"id"', b'"no"'), held.replace(b'"lines"', b'"no"')):
        assert isinstance(judge(201, body, None, "reservation"), Stop), body
    large = Dead({"type": "about:blank", "title": "Request Entity Too Large", "status": 413})
    assert judge(413, b"<html>", None) == large, "a proxy may say so as well, of this one alone"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_before_a_ledger_that_is_away_is_waited_for(status: int) -> None:
    verdict = judge(status, b"<html>", None)
    assert isinstance(verdict, Later)
    assert verdict.all_wait
    assert not verdict.defect


def test_a_result_says_which_command_it_answers_and_is_the_same_each_time() -> None:
    sent = command("movement", "4711", {}, correlationid="cart-1")
    event = event_of(sent)
    found = parse(event.attributes, event.data)
    attributes = attributes_of(found, "shop")
    assert attributes == {
        "specversion": "1.0",
        "id": found.key,
        "source": "/stockwire/shop",
        "type": "stockwire.result.v1",
        "datacontenttype": "application/json",
        "causationid": "4711",
        "causationsource": "/shop",
        "correlationid": "cart-1",
    }
    assert orjson.loads(data_of(Answer(201, b'{"a":1}'))) == {"status": 201, "body": {"a": 1}}
    assert orjson.loads(data_of(Answer(201, b" " * (BODY_BYTES_MAX + 1)))) == {"status": 201, "body": None}


def test_a_problem_fits_into_a_header() -> None:
    long = unreadable("data", "ö" * 10_000).problem
    text = problem_text(long)
    assert len(text) <= PROBLEM_CHARACTERS_MAX
    assert text.isascii()
    assert orjson.loads(text)["type"] == "invalid"
    assert orjson.loads(problem_text(delivered_too_often(6).problem))["deliveries"] == 6
