"""Which versions are promised to work together; an older `doctor` meets releases that it has not heard of."""

import pytest

from server import version
from server.version import unpromised


@pytest.mark.parametrize(
    ("versions", "apart"),
    [
        ([], None),
        (["0.1.0", "0.1.0"], None),
        (["0.2.0", "0.1.0", "0.1.7"], None),
        (["0.2.0.dev0", "0.1.3"], None),
        (["1.0.1", "0.1.0", "0.2.0"], ("0.1.0", "1.0.1")),
        (["0.2.4", "1.0.0"], None),
        (["1.0.0", "1.1.0"], None),  # the next one, of which this version cannot know
        (["1.2.0", "1.0.0"], ("1.0.0", "1.2.0")),
        (["1.0.0", "2.0.0"], None),
        (["0.2.0", "1.1.0"], ("0.2.0", "1.1.0")),  # 1.0 lies between
        (["0.2.0", "0.0.9", "0.2.1"], ("0.0.9", "0.2.1")),
        (["1.0.0", "?"], ("?", "1.0.0")),
    ],
)
def test_only_neighbours_are_promised_to_work_together(
    versions: list[str], apart: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "RELEASES", ("0.1", "0.2", "1.0"))
    assert unpromised(versions) == apart
