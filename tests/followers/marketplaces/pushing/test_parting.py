"""What goes together by a channel's way for many: raises alone, and never what is urgent."""

from followers.marketplaces.pushing.planning import Candidate, parted, plan


def candidate(remote: str, sent: int | None, target: int) -> Candidate:
    return Candidate(remote, target, "due", sent, None, polled=True, settled=True, moved=False)


CANDIDATES = [candidate("raise", 1, 5), candidate("zero", 3, 0), candidate("new", None, 4), candidate("less", 9, 2)]


def parts(many_from: int | None, many: int = 10) -> tuple[list[str], list[str]]:
    send = plan(CANDIDATES, compares=False, passed_over={}).send
    alone, together = parted(send, many_from, many)
    return [one.remote for one in alone], [one.remote for one in together]


def test_many_raises_go_together_after_what_is_less_went_by_itself() -> None:
    assert parts(2) == (["zero", "less"], ["raise", "new"])
    assert parts(2, many=1) == (["zero", "less"], ["raise"])


def test_too_few_and_where_there_is_no_such_way_they_go_as_ever() -> None:
    for many_from in (3, None):
        assert parts(many_from) == (["zero", "less", "raise", "new"], [])
