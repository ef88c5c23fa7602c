r"""Which text can be a sku or a location. ``wire/vectors/names.json`` holds every part that checks a name to it.

A name of nothing but characters that leave no mark, such as a zero-width space, looks like no name at all, and another
one like it. Beside others they stay: emoji and Persian words are joined by them, and names that are stored are good for
ever. The characters are listed, and not asked of Unicode's tables: those grow, and two versions would disagree.
"""

from collections.abc import Collection

INVISIBLE = (
    r"\xad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\ufffb"  # formatting
    r"\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159"  # fillers and blanks
    r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # accents, which need a letter
)
"""Of a class in a regular expression."""
STORED_PATTERN = r"^[^\s/*\x00-\x20\x7f-\xa0\ud800-\udfff]{1,64}\Z"
"""Of every name that may be stored: one that leaves no mark could be made once."""
NAME_PATTERN = rf"^(?![{INVISIBLE}]+\Z){STORED_PATTERN.removeprefix('^')}"
NAME_CHARACTERS_MAX = 64
NAME_REASON = "must be 1 to 64 visible characters without / and *"


def are_plain(names: Collection[str]) -> bool:
    """Whether all of them are names for sure, as nearly all are: of visible ASCII. False says nothing.

    One look at all of them together: each by the pattern costs more than reading a request does.
    """
    text = "".join(names)
    if not (text.isascii() and text.isprintable()) or " " in text or "/" in text or "*" in text:
        return False
    return "" not in names and max(map(len, names), default=0) <= NAME_CHARACTERS_MAX
