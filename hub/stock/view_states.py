"""What is seen of a level: its public view, or on which side of a threshold it stands. Pure."""

from typing import NamedTuple

from hub.stock.held import Held
from wire.availability import PublicSteps
from wire.messages import Subscribe, ThresholdState, ViewState, When


class ViewKind(NamedTuple):
    """``public``: of what the public sees. ``when``: only its crossings of a threshold. At least one of them."""

    public: bool
    when: When | None = None


def kind_of(request: Subscribe) -> ViewKind | None:
    """None: levels themselves are asked for."""
    if request.view is None and request.when is None:
        return None
    return ViewKind(request.view is not None, request.when)


def state_of(
    kind: ViewKind, source: Held, before: ViewState | ThresholdState | None, steps: PublicSteps
) -> ViewState | ThresholdState:
    """``before``: what was seen of it last. Between its edges a threshold stays on the side where it was."""
    assert source.state is not None
    if kind.when is None:
        return view_of(source, steps)
    was_raised = before.raised if isinstance(before, ThresholdState) else None
    available, version = source.state.available, source.state.version
    if kind.public:
        raised = crossed(kind.when, steps.floor(available), was_raised)
        return ThresholdState(source.sku, source.location, source.view_version, raised, kind.when)
    raised = crossed(kind.when, available, was_raised)
    return ThresholdState(source.sku, source.location, version, raised, kind.when, available)


def view_of(source: Held, steps: PublicSteps) -> ViewState:
    """What the public sees of a level that is here."""
    assert source.state is not None
    available = source.state.available
    return ViewState(
        source.sku, source.location, source.view_version, steps.availability(available), steps.quantity(available)
    )


def crossed(when: When, number: int, before: bool | None) -> bool | None:
    """Whether the threshold is raised at ``number``; between its edges it stays as it was."""
    if when.at_most is not None:
        until = when.at_most + 1 if when.until is None else when.until
        return True if number <= when.at_most else False if number >= until else before
    assert when.at_least is not None
    until = when.at_least - 1 if when.until is None else when.until
    return True if number >= when.at_least else False if number <= until else before


def same(before: ViewState | ThresholdState | None, after: ViewState | ThresholdState) -> bool:
    """Whether nobody has to be told: of a threshold only its side counts."""
    if isinstance(after, ThresholdState):
        return isinstance(before, ThresholdState) and before.raised == after.raised
    return before == after
