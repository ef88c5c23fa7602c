"""`stockwire key create --file`: a key that is there at every start, and made once."""

from pathlib import Path

import pytest

from cli import keys


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
