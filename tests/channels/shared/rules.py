"""Rules that a vendor documents, and how often each was broken."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """``says``: one sentence. ``source``: the page that documents it; None: nothing does, it is assumed."""

    id: str
    says: str
    source: str | None


class Rules:
    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self.broken: Counter[str] = Counter()

    def broke(self, rule: str) -> Rule:
        """Count it. Raises KeyError if there is no such rule."""
        found = self._rules[rule]
        self.broken[rule] += 1
        return found
