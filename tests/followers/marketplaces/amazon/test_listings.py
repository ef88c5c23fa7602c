"""All listings of a seller, though no search shows more than a thousand: each once, however many were made at once."""

import pytest
from starlette.datastructures import QueryParams

from followers.marketplaces.amazon.listings import NotPageable, Place
from tests.channels.amazon.catalogue import Catalogue
from tests.channels.shared.selling import Selling

BEGUN = 1_700_000_000.0


def catalogue(count: int, at_once: int) -> Catalogue:
    """``count`` listings, of which ``at_once`` were made in the same moment each."""
    made = Catalogue(Selling(lambda _: None, lambda _: None), lambda _: None)
    for number in range(count):
        offered = {"id": f"s{number:05d}", "title": "T", "quantity": number, "created_at": BEGUN + number // at_once}
        made.offer(offered)
    return made


def read(listed: Catalogue) -> list[str]:
    place: Place | None = Place()
    found: list[str] = []
    while place is not None:
        place = Place.of(place.cursor)
        page = listed.search(QueryParams(place.query))
        found += [one.remote for one in place.new(page["items"])]
        place = place.next(page["items"], page["pagination"].get("nextToken"))
    return found


@pytest.mark.parametrize(
    ("count", "at_once"),
    [
        (0, 1),
        (1, 1),
        (20, 1),
        (999, 1),
        (1_000, 1),
        (1_001, 1),
        (2_500, 7),
        (3_000, 20),
        (2_100, 30),
        (2_000, 50),
        (2_500, 333),
    ],
)
def test_every_listing_is_read_once(count: int, at_once: int) -> None:
    assert read(catalogue(count, at_once)) == [f"s{number:05d}" for number in range(count)]


def test_more_than_a_search_shows_that_were_made_at_once_stop_the_reading_and_are_not_left_out() -> None:
    with pytest.raises(NotPageable, match="1000 listings or more"):
        read(catalogue(1_200, 1_100))
