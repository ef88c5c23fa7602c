"""`stockwire key create --file` and `key import`: a key that is there at every start, and made once."""

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import keys
from ledger.access.keys import split_key


async def test_a_key_is_made_once_and_replaced_when_it_is_no_longer_good(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "hub.key"

    async def made(owner: str, *scopes: str) -> bool:
        return await keys.keep(database_url, file, owner, scopes, "", None)

    assert await made("hubs", "hub")
    first = file.read_text()
    assert not await made("hubs", "hub")
    assert file.read_text() == first
    assert file.stat().st_mode & 0o777 == 0o600
    await keys.revoke(database_url, {}, first.split("_")[1])
    assert await made("hubs", "hub"), "a revoked key was kept"
    assert await made("hubs", "hub", "feed"), "a key that may less was kept"
    assert await made("others", "hub", "feed"), "somebody else's key was kept"
    file.write_text("no key at all\n")
    assert await made("others", "hub", "feed")
    assert len({key.id for key in await keys.listed(database_url)}) == 5


async def test_a_file_that_cannot_be_written_leaves_no_key_behind(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(keys.KeyRefused, match=r"nowhere/hub\.key cannot be written"):
        await keys.keep(database_url, tmp_path / "nowhere" / "hub.key", "hubs", ["hub"], "", None)
    assert await keys.listed(database_url) == []


def text_of_a_key(id_: str) -> str:
    return f"sw_{id_}_{secrets.token_urlsafe(32)}"


async def imported(database_url: str, file: Path, *scopes: str, owner: str = "hubs") -> bool:
    return await keys.take_in(database_url, file, owner, scopes, "")


async def test_a_key_made_elsewhere_is_let_in_once_however_many_try(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "hub.key"
    file.write_text(text_of_a_key("abcdefgh2345") + "\n")
    made = await asyncio.gather(*(imported(database_url, file, "hub") for _ in range(4)))
    assert sorted(made) == [False, False, False, True]
    (known,) = await keys.listed(database_url)
    assert (known.id, known.owner, known.scopes) == ("abcdefgh2345", "hubs", ("hub",))
    parts = split_key(file.read_text().strip())
    assert parts
    assert known.is_good(parts[1], datetime.now(UTC))


@pytest.mark.parametrize(
    ("text", "says"),
    [("no key", "must be sw_"), ("sw_abcdefgh2345_" + "ab" * 21 + "a", "only 2 different characters")],
)
async def test_what_is_no_key_or_could_be_guessed_is_not_let_in(
    text: str, says: str, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "hub.key"
    file.write_text(text)
    with pytest.raises(keys.KeyRefused, match=says):
        await imported(database_url, file, "hub")
    with pytest.raises(keys.KeyRefused, match="cannot be read"):
        await imported(database_url, tmp_path / "none", "hub")
    assert await keys.listed(database_url) == []


async def test_a_key_made_elsewhere_is_not_taken_for_another(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "hub.key"
    file.write_text(text_of_a_key("abcdefgh2345"))
    assert await imported(database_url, file, "hub")
    refused = pytest.raises(keys.KeyRefused, match="abcdefgh2345 of one that is another's")
    with refused:
        await imported(database_url, file, "hub", "feed")
    with refused:
        await imported(database_url, file, "hub", owner="others")
    other = tmp_path / "other.key"
    other.write_text(text_of_a_key("abcdefgh2345"))
    with refused:
        await imported(database_url, other, "hub")
    await keys.revoke(database_url, {}, "abcdefgh2345")
    with refused:
        await imported(database_url, file, "hub")
