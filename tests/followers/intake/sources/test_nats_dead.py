"""A dead message is one that the server takes, whatever its sender wrote into its headers."""

import orjson

from followers.intake.answering import unreadable
from followers.intake.laid_aside import LEFT_OUT, OURS_BYTES, PROBLEM_HEADER
from followers.intake.sources.nats import HEADERS_BYTES, dead_of

DEAD = unreadable("data", "is no JSON object")


def test_a_dead_message_is_as_it_was_but_for_what_told_the_server_how_to_keep_it() -> None:
    servers = {"Nats-Expected-Last-Sequence": "1", "nats-msg-id": "2", "Nats-TTL": "1s"}
    headers, data = dead_of({"ce-id": "1", **servers, PROBLEM_HEADER: "old"}, b"[]", DEAD, 1_000)
    assert data == b"[]"
    assert headers["ce-id"] == "1"
    assert headers.keys() == {"ce-id", PROBLEM_HEADER}
    assert orjson.loads(headers[PROBLEM_HEADER]) == DEAD.problem


def test_a_dead_message_that_its_problem_lifts_above_the_limit_goes_without_its_data_and_says_so() -> None:
    limit = 10_000
    room = limit - HEADERS_BYTES - OURS_BYTES - len(dead_of({}, b"", DEAD, limit)[0][PROBLEM_HEADER])
    assert dead_of({}, b"x" * room, DEAD, limit)[1] == b"x" * room
    headers, data = dead_of({}, b"x" * (room + 1), DEAD, limit)
    assert data == b""
    problem = orjson.loads(headers[PROBLEM_HEADER])
    assert f"{room + 1:,} bytes" in problem.pop(LEFT_OUT)
    assert problem == DEAD.problem
