"""What is to go wrong at a marketplace, as a test asks for it."""

from typing import Literal

import msgspec

Down = Literal["refuses", "hangs", "half_open", "html", "errors_in_200"]


class NoticeFaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Probabilities of each notice; ``late_s``: before each is sent. ``reordered``: sent after the one that follows."""

    doubled: float = 0.0
    dropped: float = 0.0
    late_s: float = 0.0
    reordered: float = 0.0


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``down``: refuses connections, takes them and says nothing, loses what is sent without a word, answers each
    request with a page in HTML, or with status 200 and an error inside. ``slow_s``: before each answer.
    ``token_revoked``: what was given to clients is no longer good. ``late_apply_s``: between an answer and its effect,
    where a vendor has that. ``throttled``: all quotas are spent, and stay so.
    """

    notices: NoticeFaults = NoticeFaults()
    down: Down | None = None
    slow_s: float = 0.0
    token_revoked: bool = False
    late_apply_s: float = 0.0
    throttled: bool = False
