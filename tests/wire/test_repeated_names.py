"""A JSON name that is given twice: found wherever it stands and however it is written, and nowhere else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.repeated_names import repeated_name


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a":1,"a":2}', "a"),
        (b'{"a":1,"b":2,"a":null}', "a"),
        (b'{"a":1,"a" \t\r\n:2}', "a"),
        (b'{"sku":"A","\\u0073ku":"B"}', "sku"),
        (b'{"\\u0073\\u006bu":"A","s\\u006Bu":"B"}', "sku"),
        (b'{"\\/":1,"/":2}', "/"),
        (b'{"lines":[{"a":1},{"b":1},{"a":1,"b":2,"b":2}]}', "lines[2].b"),
        (b'{"lines":[],"lines":[]}', "lines"),
        (b'{"a":{"b":{"c":[[{"d":1,"d":1}]]}}}', "a.b.c[0][0].d"),
        (b'{"a":{"b":1},"c":0,"a":1}', "a"),
        (b'[{"a":1},{"a":1,"a":1}]', "[1].a"),
        (b'{"":1,"":2}', ""),
        (b'{"x":"}","a":"{","a":1}', "a"),
        (b'[{"a":1},{"a":1},{"a":1},{"a":1},{"a":1},{"a":":","a" :1}]', "[5].a"),
        (b'{"x":"\\"","a":1,"a":1}', "a"),
        (b'{"q":' + b"9" * 10_000 + b',"a":1e999999,"a":1}', "a"),
        ('{"ä":1,"\\u00e4":2}'.encode(), "ä"),
        (b'{"a":1,"b":{"z":1,"z":1},"a":1}', "b.z"),
    ],
)
def test_a_name_given_twice_is_found_with_its_path(body: bytes, path: str) -> None:
    assert repeated_name(body) == path


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"1",
        b'"a"',
        b'["a","a"]',
        b'{"a":"a"}',
        b'{"a":"b","b":"a"}',
        b'{"a":1,"A":2}',
        b'{"a":{"a":{"a":1}}}',
        b'{"lines":[{"a":1},{"a":1}]}',
        b'[{"a":1},{"a":1},{"a":1},{"a":1},{"a":1},{"a":":","b" :"b"}]',
        b'{"x":"\\"a\\":1","a":"\\\\","b":"\\\\"}',
        b'{"x":"{\\"a\\":1,\\"a\\":1}"}',
        '{"é":1,"e\u0301":2}'.encode(),
    ],
)
def test_what_is_given_once_is_let_through(body: bytes) -> None:
    assert repeated_name(body) is None


names = st.sampled_from(["a", "b", "lines", '"', "\\", "é", "{", ":", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | names,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(names, inner), max_size=5).map(tuple),
    max_leaves=25,
)
"""A tuple of pairs is an object, as it is written."""


@given(values, st.booleans())
def test_it_agrees_with_reading_every_object(value: Any, ascii_only: bool) -> None:
    body = written(value, ascii_only).encode()
    assert (repeated_name(body) is not None) == has_repeated(value)
    assert repeated_name(body, kept(json.loads(body))) == repeated_name(body), "who knows how many were read"


def kept(read: Any) -> int:
    if isinstance(read, dict):
        return len(read) + sum(map(kept, read.values()))
    return sum(map(kept, read)) if isinstance(read, list) else 0


def written(value: Any, ascii_only: bool) -> str:
    if isinstance(value, tuple):
        pairs = (f"{json.dumps(name, ensure_ascii=ascii_only)} :{written(inner, ascii_only)}" for name, inner in value)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(inner, ascii_only) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def has_repeated(value: Any) -> bool:
    if isinstance(value, tuple):
        own = [name for name, _ in value]
        return len(set(own)) < len(own) or any(has_repeated(inner) for _, inner in value)
    return isinstance(value, list) and any(has_repeated(inner) for inner in value)
