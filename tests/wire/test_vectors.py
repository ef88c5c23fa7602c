"""wire/messages.py against the golden vectors: it reads and writes what they say, and refuses what is bad."""

import json
from typing import Any, get_args

import msgspec
import pytest

from tests.wire.vectors import FOLDER, Vector, load, vectors
from wire import messages

MESSAGES = [*vectors("client-to-hub.json"), *vectors("hub-to-client.json"), *vectors("broker.json")]
DECODERS = {
    "client-to-hub.json": messages.decode_client_message,
    "hub-to-client.json": messages.decode_hub_message,
    "ignored-by-clients.json": messages.decode_hub_message,
    "refused-by-hubs.json": messages.decode_client_message,
}


@pytest.mark.parametrize("vector", MESSAGES, ids=str)
def test_it_decodes_to_the_fields_of_the_vector(vector: Vector) -> None:
    message = decode(vector)
    assert type_name(message) == vector.type
    assert fields_of(message) == vector.decoded


@pytest.mark.parametrize("vector", MESSAGES, ids=str)
def test_it_encodes_to_the_json_of_the_vector(vector: Vector) -> None:
    assert json.loads(messages.encode(decode(vector))) == vector.encoded


@pytest.mark.parametrize("vector", MESSAGES, ids=str)
def test_what_was_encoded_decodes_to_the_same(vector: Vector) -> None:
    message = decode(vector)
    again = Vector(vector.file, vector.name, vector.type, messages.encode(message), {}, {})
    assert decode(again) == message


@pytest.mark.parametrize("vector", [*vectors("refused-by-hubs.json"), *vectors("refused-from-broker.json")], ids=str)
def test_a_bad_message_is_refused_with_one_kind_of_error(vector: Vector) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(vector)


@pytest.mark.parametrize("vector", vectors("ignored-by-clients.json"), ids=str)
def test_a_message_of_a_later_protocol_is_told_apart_from_a_broken_one(vector: Vector) -> None:
    """A client ignores it: the error is about its type and nothing else."""
    with pytest.raises(msgspec.ValidationError, match=r"at `\$\.type`"):
        decode(vector)


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nesting_in_an_unknown_field_is_refused_like_other_bad_messages(brackets: str) -> None:
    opening = brackets[0] if brackets == "[]" else '{"a":'
    nested = opening * 20_000 + "1" + brackets[1] * 20_000
    with pytest.raises(msgspec.DecodeError):
        messages.decode_client_message(f'{{"type":"connect","id":1,"later":{nested}}}')


def test_a_token_longer_than_8192_characters_is_refused() -> None:
    longest = messages.Connect(1, "t" * 8192)
    assert messages.decode_client_message(messages.encode(longest)) == longest
    with pytest.raises(msgspec.ValidationError):
        messages.decode_client_message(messages.encode(messages.Connect(1, "t" * 8193)))


def test_every_message_has_vectors_and_one_with_unknown_fields() -> None:
    known = {
        type_.__struct_config__.tag
        for union in (messages.ClientMessage, messages.HubMessage)
        for type_ in get_args(union)
    }
    assert {vector.type for vector in MESSAGES} == known | {"batch", "revocation"}
    assert {vector.type for vector in MESSAGES if "later protocol" in vector.name} == known | {"batch", "revocation"}


def test_every_file_is_read_and_names_are_unique() -> None:
    read = {*DECODERS, "broker.json", "refused-from-broker.json", "close-codes.json", "channels.json"}
    read |= {"names.json", "scopes.json", "shards.json"}
    read |= {"apply.json", "commands.json", "reservations.json", "streams.json"}  # elsewhere
    assert {path.name for path in FOLDER.glob("*.json")} == read
    for name in (*DECODERS, "broker.json", "refused-from-broker.json"):
        names = [entry["name"] for entry in load(name)["vectors"]]
        assert len(set(names)) == len(names), name


def decode(vector: Vector) -> Any:
    if vector.type == "revocation":
        return messages.decode_revocation(vector.data)
    return DECODERS.get(vector.file, messages.decode_batch)(vector.data)


def type_name(message: msgspec.Struct) -> object:
    return message.__struct_config__.tag or type(message).__name__.lower()


def fields_of(value: Any) -> Any:
    """The attributes, defaults included, which ``msgspec.to_builtins`` would leave out."""
    if isinstance(value, msgspec.Struct):
        return {name: fields_of(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list):
        return [fields_of(item) for item in value]
    if isinstance(value, dict):
        return {key: fields_of(item) for key, item in value.items()}
    return value
