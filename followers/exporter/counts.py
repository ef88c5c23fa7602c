"""What was done since the process started, whatever history it was. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """``events``: audited. ``first_sights``: of these, events of levels of which nothing was known, judged by
    themselves alone. ``levels_let_go``: of which nothing is known any more. ``rows``: of levels, compared with their
    last events; ``walks``: how often all of them were read. ``events_again``: read a second time. ``rewritten``: new
    epochs seen."""

    events: int = 0
    first_sights: int = 0
    levels_let_go: int = 0
    rows: int = 0
    walks: int = 0
    events_again: int = 0
    rewritten: int = 0
