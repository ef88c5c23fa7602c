"""Numbers of things in words: ``1 level``, ``2 levels``. Pure."""


def counted(number: int, thing: str) -> str:
    """``thing``: one of them, of a word whose plural ends in s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
