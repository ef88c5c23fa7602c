"""What was read of an item can be put back, whatever JSON its attributes were."""

import json
import math
import random
import struct
from typing import Any

import pytest

from tests.harness.chance import SEED
from tests.ledger.api import Api, field

ITEMS = "/v1/items"
ODD: list[Any] = [
    *(1e20, 1e21, 1e22, 1e23, -1e20, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 2.2250738585072014e-308),
    *(-0.0, 0.0, 1e-7, 1e15, 1e16, 1e17, 0.1, 1 / 3, 123456789012345680.0, 2**53, 2**53 + 2, -(2**53), float(2**63)),
    *(
        10**20,
        10**22,
        10**23,
        10**300,
        2**53 - 1,
        0,
        True,
        False,
        None,
        "",
        " ",
        "null",
        "1e20",
        '"',
        "\\\\",
        "\\u0000",
    ),
    *("é", "e\u0301", "🛒", "\u200b", "\u2028", "\ufeff", "\ufffe", "\U0010ffff", "x" * 256),
]


def any_value(chance: random.Random) -> Any:
    match chance.randrange(5):
        case 0:
            number = struct.unpack("d", chance.randbytes(8))[0]
            return number if math.isfinite(number) else 0.5
        case 1:
            return float(10 ** chance.randrange(-300, 308)) * chance.choice((1, -1, 7))
        case 2:
            return chance.randrange(-(2**53) + 1, 2**53)
        case 3:
            return "".join(
                chr(chance.choice((chance.randrange(32, 127), chance.randrange(0xA0, 0xD800)))) for _ in "abc"
            )
        case _:
            return chance.choice(ODD)


def as_doubles(attributes: dict[str, Any]) -> dict[str, Any]:
    """As most readers of JSON take numbers; and a boolean is none."""
    return {name: float(value) if type(value) is int else value for name, value in attributes.items()}


async def test_what_was_read_can_be_put_back_and_reads_the_same(api: Api, unique_name: str) -> None:
    chance = random.Random(SEED)
    listed: list[dict[str, Any]] = [
        {"sku": f"{number:03}{unique_name}", "name": "a", "attributes": {f"a{n}": any_value(chance) for n in range(8)}}
        for number in range(400)
    ]
    listed += [
        {"sku": f"odd{number}{unique_name}", "name": "a", "attributes": {"a": odd}} for number, odd in enumerate(ODD)
    ]
    answer = await api.put(ITEMS, {"items": listed})
    assert answer.is_success, answer.text
    read = [(await api.get(f"{ITEMS}/{one['sku']}")).text for one in listed]
    for put, text in zip(listed, read, strict=True):
        assert as_doubles(json.loads(text)["attributes"]) == as_doubles(put["attributes"])
    body = f'{{"items":[{",".join(read)}]}}'.encode()
    again = await api.send("PUT", ITEMS, content=body)
    assert again.json() == {"created": [], "updated": [], "unchanged": len(listed)}, again.text
    for one, text in list(zip(listed, read, strict=True))[-len(ODD) :]:
        single = json.loads(text)
        del single["sku"]
        assert (await api.put(f"{ITEMS}/{one['sku']}", single)).text == text


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("9007199254740993", 422),
        ("-9007199254740993", 422),
        ("99999999999999991611392", 422),
        ("1" * 5000, 422),
        ("1e400", 422),
    ],
)
async def test_a_number_that_would_be_rounded_is_refused(api: Api, unique_name: str, number: str, status: int) -> None:
    body = f'{{"name":"a","attributes":{{"n":{number}}}}}'.encode()
    answer = await api.send("PUT", f"{ITEMS}/{unique_name}", content=body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("text", "status"), [("\\u0000", 422), ("\\ud800", 400), ("\\udc00x", 400), ("a\\u0085", 422)])
async def test_text_that_could_not_be_stored_or_sent_is_refused(
    api: Api, unique_name: str, text: str, status: int
) -> None:
    for attributes in (f'"a":"{text}"', f'"{text}":1'):
        body = f'{{"name":"a","attributes":{{{attributes}}}}}'.encode()
        answer = await api.send("PUT", f"{ITEMS}/{unique_name}", content=body)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/v1/items/x", '{"name":"a","name":"b"}', "name"),
        ("/v1/items/x", '{"name":"a","attributes":{"n":1,"\\u006e":2}}', "attributes.n"),
        ("/v1/items", '{"items":[{"sku":"A","name":"a"},{"sku":"B","name":"b","sku":"C"}]}', "items[1].sku"),
        ("/v1/locations/x", '{"name":"a","n\\u0061me":"a"}', "name"),
    ],
)
async def test_a_name_given_twice_is_refused_and_named(api: Api, path: str, body: str, named: str) -> None:
    answer = await api.send("PUT", path, content=body.encode())
    assert (*field(answer), answer.json()["reason"]) == (422, named, "must be given once")
