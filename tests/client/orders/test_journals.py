"""What a journal promises: nothing is lost, nobody works on what is another's, who is late changes nothing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stockwire.orders import Journal, JournalError, PostgresJournal, Row, SqliteJournal
from tests.client.orders.asyncpg_connection import Driver
from tests.harness.waiting import PATIENCE_S

OpenJournal = Callable[[], Journal]


@pytest.fixture(params=["sqlite", "postgres"])
def open_journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenJournal]:
    """Opens the same journal again, as another process would."""
    if request.param == "sqlite":
        opened: list[SqliteJournal] = []

        def open_file() -> Journal:
            opened.append(SqliteJournal(tmp_path / "orders.db"))
            return opened[-1]

        yield open_file
        for journal in opened:
            journal.close()
        return
    url: str = request.getfixturevalue("empty_database_url")
    with Driver() as driver:
        journals: list[PostgresJournal] = []

        def open_database() -> Journal:
            journals.append(PostgresJournal(lambda: driver.connect(url)))
            journals[-1].create()
            return journals[-1]

        yield open_database
        for postgres in journals:
            postgres.close()


@pytest.fixture
def journal(open_journal: OpenJournal) -> Journal:
    return open_journal()


def test_an_order_is_lost_when_the_process_that_wrote_it_is_gone(open_journal: OpenJournal) -> None:
    begun = open_journal().begin("o-1", "reserving", '{"a":1}', "me", 60.0)
    found = open_journal().get("o-1")
    assert found is not None
    assert (found.version, found.document, found.worker) == (1, '{"a":1}', "me")
    assert (begun.version, begun.document, begun.worker) == (1, '{"a":1}', "me")
    assert found.due_at_s == pytest.approx(found.now_s + 60, abs=PATIENCE_S)
    assert open_journal().get("o-2") is None


def test_a_second_beginning_of_an_order_changes_the_first(journal: Journal) -> None:
    journal.begin("o-1", "reserving", "{}", "me", 60.0)
    again = journal.begin("o-1", "reserving", '{"other":1}', "you", 60.0)
    assert (again.worker, again.document, again.version) == ("me", "{}", 1)


def test_two_work_on_one_order(journal: Journal) -> None:
    journal.begin("o-1", "reserving", "{}", "me", 60.0)
    assert journal.claim("o-1", "you", 60.0) is None
    assert journal.claim("o-2", "you", 60.0) is None


def test_an_order_is_nobodys_for_ever_once_its_process_died(journal: Journal) -> None:
    dead = journal.begin("o-1", "reserving", "{}", "dead", 0.0)
    assert journal.due(10) == ["o-1"]
    claimed = journal.claim("o-1", "you", 60.0)
    assert claimed is not None
    assert (claimed.worker, claimed.version) == ("you", dead.version + 1)
    assert journal.due(10) == []


def test_a_process_that_stood_still_writes_over_what_another_did(journal: Journal) -> None:
    paused = journal.begin("o-1", "reserving", "{}", "paused", 0.0)
    journal.claim("o-1", "you", 60.0)
    assert journal.save("o-1", paused.version, "charging", True, '{"late":1}', "paused", 60.0) is None
    standing = journal.get("o-1")
    assert standing is not None
    assert (standing.worker, standing.document) == ("you", "{}")


def test_of_many_that_want_a_left_order_two_get_it(open_journal: OpenJournal) -> None:
    journals = [open_journal() for _ in range(4)]
    for number in range(10):
        journals[0].begin(f"o-{number}", "reserving", "{}", "dead", 0.0)
        ready = threading.Barrier(len(journals))

        def claim(one: Journal, key: str = f"o-{number}", ready: threading.Barrier = ready) -> bool:
            ready.wait(PATIENCE_S)
            return one.claim(key, f"worker-{id(one)}", 60.0) is not None

        with ThreadPoolExecutor(len(journals)) as threads:
            assert sum(threads.map(claim, journals)) == 1


def test_what_is_let_go_of_is_due_before_its_time_or_never_free(journal: Journal) -> None:
    row = journal.begin("o-1", "reserving", "{}", "me", 60.0)
    saved = journal.save("o-1", row.version, "reserved", True, "{}", "", 60.0)
    assert saved is not None
    assert saved.version == row.version + 1
    assert journal.due(10) == []
    assert journal.claim("o-1", "you", 60.0) is not None, (
        "its time is for those who look for work, not for its customer"
    )


def test_a_write_is_thought_another_s_when_somebody_claims_right_behind_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = journal.begin("o-1", "reserving", "{}", "me", 60.0)
    get = journal.get

    def get_late(key: str) -> Row | None:
        monkeypatch.undo()
        journal.claim("o-1", "you", 60.0)
        return get(key)

    monkeypatch.setattr(journal, "get", get_late)
    saved = journal.save("o-1", row.version, "charged", True, '{"a":1}', "", 0.0)
    assert saved is not None
    assert (saved.version, saved.document, saved.worker) == (row.version + 1, '{"a":1}', "")


def test_what_is_at_its_end_is_listed_as_open_or_due(journal: Journal) -> None:
    for number in range(5):
        row = journal.begin(f"o-{number}", "reserving", "{}", "me", 60.0)
        journal.save(row.key, row.version, "committed" if number % 2 else "charged", number % 2 == 0, "{}", "", 0.0)
    assert sorted(journal.due(10)) == ["o-0", "o-2", "o-4"]
    assert len(journal.due(2)) == 2
    assert [row.key for row in journal.open_after("", 2)] == ["o-0", "o-2"]
    assert [row.key for row in journal.open_after("o-2", 2)] == ["o-4"]


def test_a_broken_file_is_told_as_sqlite_tells_it(tmp_path: Path) -> None:
    (tmp_path / "orders.db").write_text("no database" * 1_000)
    with pytest.raises(JournalError, match="file is not a database"):
        SqliteJournal(tmp_path / "orders.db")


def test_an_old_sqlite_is_found_out_in_the_middle_of_an_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    with pytest.raises(JournalError, match="journal needs 3"):
        SqliteJournal(tmp_path / "orders.db")


def test_a_lost_connection_ends_the_journal(empty_database_url: str) -> None:
    with Driver() as driver:
        made = []

        def connect() -> object:
            made.append(driver.connect(empty_database_url))
            return made[-1]

        with PostgresJournal(connect) as journal:  # type: ignore[arg-type]  # a list keeps them, as it is
            journal.create()
            driver.wait(made[0].connection.close())
            with pytest.raises(JournalError, match="cannot be used"):
                journal.due(10)
            assert journal.due(10) == []
    assert len(made) == 2
