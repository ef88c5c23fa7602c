"""Secrets lie sealed, and the keys that seal them can be changed."""

import pytest

from followers.sealing import SEALING_KEYS_MAX, SealBroken, SealingKeysUnusable, new_sealing_key, seal_of
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.secrets import new_secret, new_signing_key, open_ring, seal_ring


def test_what_was_sealed_is_opened_as_it_was_and_says_nothing_of_itself() -> None:
    seal = seal_of(f"# of the channels\n{new_sealing_key()}\n\n")
    ring = KeyRing((HeldKey(new_signing_key()), HeldKey(new_secret(), 1_000.5)))
    sealed = seal_ring(seal, ring)
    opened = open_ring(seal, sealed)
    assert [(one.key.text, one.ends_s) for one in opened.held] == [(one.key.text, one.ends_s) for one in ring.held]
    assert not any(one.key.text.encode()[6:] in sealed for one in ring.held)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens_until_all_is_sealed_anew() -> None:
    old, new = new_sealing_key(), new_sealing_key()
    sealed = seal_ring(seal_of(old), ring := KeyRing((HeldKey(new_secret()),)))
    both = seal_of(f"{new}\n{old}")
    assert open_ring(both, sealed).newest == ring.newest
    assert open_ring(seal_of(new), both.seal(both.open(sealed))).newest == ring.newest
    with pytest.raises(SealBroken, match="put the key that sealed it back"):
        seal_of(new).open(sealed)


def test_more_keys_than_are_tried_are_refused_and_none_is_dropped() -> None:
    keys = [new_sealing_key() for _ in range(SEALING_KEYS_MAX + 1)]
    oldest = seal_ring(seal_of(keys[-2]), ring := KeyRing((HeldKey(new_secret()),)))
    assert open_ring(seal_of("\n".join(keys[:-1])), oldest).newest == ring.newest
    with pytest.raises(SealingKeysUnusable, match="has 17 keys, at most 16 are tried: rotate"):
        seal_of("\n".join(keys))


@pytest.mark.parametrize("text", ["", "# nothing", "too-short", "c2hvcnQ=", "é" * 32])
def test_a_file_without_usable_keys_is_refused_without_showing_them(text: str) -> None:
    with pytest.raises(SealingKeysUnusable) as refused:
        seal_of(text)
    assert str(refused.value) == "needs one key a line, each 32 bytes in URL-safe base64, the newest first"
