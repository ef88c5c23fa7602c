"""What transfers do to levels, whatever is asked in whichever order: no unit comes or goes unsaid."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from ledger.commit.decide import decide
from ledger.commit.hold import Hold
from ledger.commit.operation import Operation, operation_id
from ledger.commit.stock import LevelKey, Stock
from ledger.database.locations import transit_name
from ledger.holds.transfer import NOWHERE, RECEIVED, RETURNED, End
from server.problems import Problem
from tests.ledger.hold_requests import OWNER
from tests.ledger.transfer_requests import place, sending

LOCATIONS = ("berlin", "hamburg", "paris")
SKUS = ("A", "B")

Sending = tuple[dict[str, int], list[str]]
Ending = tuple[int, str, dict[str, int | None] | None, bool]

sends = st.tuples(st.dictionaries(st.sampled_from(SKUS), st.integers(1, 6), min_size=1), st.permutations(LOCATIONS))
ends = st.tuples(
    st.integers(0, 5),
    st.sampled_from((RECEIVED, RETURNED, NOWHERE)),
    st.none() | st.dictionaries(st.sampled_from(SKUS), st.none() | st.integers(1, 6), min_size=1),
    st.booleans(),
)


@dataclass
class Shop:
    """Ten of each sku at each location."""

    stocks: dict[LevelKey, Stock] = field(default_factory=dict)
    transfers: dict[str, Hold] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for location in (*LOCATIONS, *map(transit_name, LOCATIONS)):
            on_hand = 10 if location in LOCATIONS else 0
            self.stocks |= {place(location).level(sku): Stock(on_hand, 0, 1) for sku in SKUS}

    def do(self, operation: Operation) -> None:
        decision = decide([operation], self.stocks, holds=self.transfers)
        if isinstance(decision.verdicts[0], Problem):
            assert decision.after == decision.before, "refused, and something moved"
            return
        self.stocks |= decision.after
        self.transfers |= {known: hold for known, hold in decision.holds_after.items() if hold is not None}

    def end(self, number: int, ending: str, parts: dict[str, int | None] | None, close: bool) -> None:
        if not self.transfers:
            return
        transfer = list(self.transfers.values())[number % len(self.transfers)]
        elsewhere = next(name for name in LOCATIONS if name not in (transfer.source, transfer.target))
        to = {RECEIVED: transfer.target, RETURNED: elsewhere, NOWHERE: None}[ending]
        where = None if to is None else place(to)
        levels = [*transfer.lines, *(where.level(key.sku) for key in transfer.lines if where is not None)]
        plan = End(transfer.id, levels, ending, where, parts, close)
        key = f"end {len(self.transfers)} {transfer.version} {number}"
        self.do(Operation(operation_id(OWNER, key), OWNER, key, b"", (), plan))


@given(st.lists(st.tuples(sends, ends), max_size=12))
def test_units_are_on_a_shelf_or_on_their_way_or_said_to_be_lost(asked: list[tuple[Sending, Ending]]) -> None:
    shop = Shop()
    for (units, (source, target, _)), ending in asked:
        shop.do(sending(units, source, target))
        shop.end(*ending)
    lines = [(key, line) for hold in shop.transfers.values() for key, line in hold.lines.items()]
    lost = sum(line.expired for _, line in lines)
    assert sum(stock.on_hand for stock in shop.stocks.values()) == 60 - lost
    for key, stock in shop.stocks.items():
        on_their_way = sum(line.committed for level, line in lines if level == key)
        assert stock.reserved == on_their_way
        assert key.location in LOCATIONS or stock.on_hand == on_their_way
        assert stock.on_hand >= stock.reserved >= 0
