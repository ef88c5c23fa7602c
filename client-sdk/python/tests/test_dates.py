"""Dates as shops write them: read as they were meant, or asked about, never taken for another day in silence."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import UnreadableFile, words
from stockwire.importing.dates import find_order, on_day, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
days = st.dates(min_value=date(2001, 1, 1), max_value=date(2099, 12, 31))


def at(text: str, order: str = "dmy") -> datetime | None:
    moment = read_moment(text, order, None).value
    return None if moment is None else moment.at


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-02T10:00:00Z", datetime(2026, 11, 2, 10)),
        ("2026-11-02T10:00:00.654321Z", datetime(2026, 11, 2, 10, 0, 0, 654321)),
        ("2026-11-02T11:00:00+01:00", datetime(2026, 11, 2, 10)),
        ("20261102T100000Z", datetime(2026, 11, 2, 10)),
        ("20261102", datetime(2026, 11, 2)),
        ("2026-11-02", datetime(2026, 11, 2)),
        ("2026-11-02 11:00:00 +0100", datetime(2026, 11, 2, 10)),  # Shopify
        ("2026-11-02 11:00:00 +01", datetime(2026, 11, 2, 10)),
        ("2026-11-02 10:00:00 UTC", datetime(2026, 11, 2, 10)),
        ("2026-11-02 06:30 \u22120330", datetime(2026, 11, 2, 10)),
        ("2026/11/2 10:00", datetime(2026, 11, 2, 10)),
        ("2/11/2026 10:00", datetime(2026, 11, 2, 10)),
        ("2.11.26, 10:00", datetime(2026, 11, 2, 10)),
        ("2-11-2026 10:00:00 AM", datetime(2026, 11, 2, 10)),
        ("02/11/2026 12:30 a.m.", datetime(2026, 11, 2, 0, 30)),
        ("02/11/2026 12:30pm", datetime(2026, 11, 2, 12, 30)),
        ("2 Nov 2026 10:00", datetime(2026, 11, 2, 10)),
        ("2-Nov-26", datetime(2026, 11, 2)),
        ("2nd November 2026", datetime(2026, 11, 2)),
        ("Nov 2, 2026 10:00 AM", datetime(2026, 11, 2, 10)),
        ("Monday, November 2, 2026", datetime(2026, 11, 2)),
        ("Mon, 02 Nov 2026 11:00:00 +0100", datetime(2026, 11, 2, 10)),
    ],
)
def test_what_shops_and_stockwire_print_is_read(text: str, read: datetime) -> None:
    assert at(text) == read.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", words.DATE),
        ("31/02/2026", words.DATE),
        ("11/13/2026", words.DATE),
        ("13/13/2026", words.DATE),
        ("2026-11-02 25:00", words.DATE),
        ("2026-11-02 13:00 PM", words.DATE),
        ("2026-11-02 10:00 CET", words.DATE),
        ("yesterday", words.DATE),
        ("02/11/1026", words.DATE),
        ("3026-11-02", words.DATE),
        ("46328", words.DATE_SERIAL),
        ("46328,4166", words.DATE_SERIAL),
        ("########", words.SPREADSHEET_ERROR),
        ("٢/11/2026", words.DATE),
    ],
)
def test_what_is_no_date_is_rejected_by_name(text: str, word: str) -> None:
    assert read_moment(text, "dmy", None).word == word


def test_an_hour_that_a_zone_skips_is_rejected_and_the_first_of_two_taken() -> None:
    assert read_moment("2026-03-29 02:30", "ymd", BERLIN).word == words.NO_SUCH_TIME
    twice = read_moment("2026-10-25 02:30", "ymd", BERLIN)
    assert twice.mend == words.FIRST_OF_TWO
    assert twice.value is not None
    assert twice.value.at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_day_is_that_of_the_file_not_of_utc() -> None:
    late = read_moment("2026-11-02 23:30:00 -0500", "ymd", None).value
    assert late is not None
    assert (late.day, late.at.date()) == (date(2026, 11, 2), date(2026, 11, 3))


@given(st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2998, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_any_moment_in_iso_form_is_read_as_it_was(moment: datetime, minutes: int) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert at(written.isoformat()) == written
    assert at(written.strftime("%Y-%m-%d %H:%M:%S.%f %z")) == written


FORMS = (
    *("{0:%d/%m/%Y}", "{0:%m/%d/%Y}", "{0:%d-%m-%y}", "{0:%m-%d-%y}", "{0:%y-%m-%d}", "{0:%y/%m/%d}"),
    *("{0.day}-{0.month}-{0.year}", "{0.month}-{0.day}-{0.year}", "{0.day}/{0.month}/{0:%y}"),
)


@given(st.lists(days, min_size=1, max_size=8), st.sampled_from(FORMS))
def test_dates_are_never_taken_for_other_days_in_silence(dates: list[date], form: str) -> None:
    texts = {form.format(day): number for number, day in enumerate(dates)}
    try:
        order = find_order(texts, None).order
    except UnreadableFile:
        return
    assert [at(form.format(day), order) for day in dates] == [
        datetime(d.year, d.month, d.day, tzinfo=UTC) for d in dates
    ]


def test_two_readings_are_asked_about_with_the_line_and_both_days() -> None:
    with pytest.raises(UnreadableFile, match=r"'2/11/2026' \(line 7\) can be 2 Nov 2026 or 11 Feb 2026.*--dates dmy"):
        find_order({"2/11/2026": 7, "3/3/2026": 8}, None)


def test_the_order_that_one_date_shows_is_said() -> None:
    assert (
        "'13/11/2026' (line 3) cannot be month/day/year" in find_order({"2/11/2026": 2, "13/11/2026": 3}, None).reading
    )
    assert find_order({"3/3/2026": 2}, None).order == "dmy"  # the same day in both orders
    assert find_order({"31/02/2026": 2, "11/13/2026": 3}, None).order == "mdy"  # what is no date decides nothing


@pytest.mark.parametrize(("text", "order"), [("13-2-2026", "dmy"), ("2-13-2026", "mdy")])
def test_days_and_months_of_one_digit_say_the_order_too(text: str, order: str) -> None:
    assert find_order({text: 2, "3-3-2026": 3}, None).order == order


def test_a_year_of_two_digits_may_be_the_first_number_too() -> None:
    with pytest.raises(UnreadableFile, match=r"can be 25 Nov 2002 or 2 Nov 2025.*say --dates dmy or --dates ymd"):
        find_order({"25-11-02": 2}, None)
    with pytest.raises(UnreadableFile, match="can be 2 Nov 2010 or 11 Feb 2010 or 10 Nov 2002"):
        find_order({"02/11/10": 2}, None)
    assert find_order({"25-11-02": 2, "99-11-02": 3}, None).order == "ymd"  # there is no 99 November
    assert find_order({"25-11-02": 2, "25-11-2002": 3}, None).order == "dmy"


def test_what_is_usual_is_no_evidence() -> None:
    assert not find_order({"2.11.2026": 2}, None).decided
    assert not find_order({"3/3/2026": 2}, None).decided
    assert find_order({"13.11.2026": 2}, None).decided


@pytest.mark.parametrize(
    "day", ["2026-11-02T00:00:00", "2026-11-02 00:00:00.000", "2/11/2026 0:00", "2/11/2026 12:00 AM", "2.11.2026"]
)
def test_midnight_beside_a_time_of_its_own_is_no_time(day: str) -> None:
    assert at(on_day(day, "10:30:00")) == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
    assert at(on_day(day, " ")) == datetime(2026, 11, 2, tzinfo=UTC)
