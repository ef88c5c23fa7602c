"""Which column is which field: told, saved, or recognised; the same name twice never decides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockwire.importing import ReadOptions, UnreadableFile, read_items, read_sheet
from stockwire.importing.columns import fit, parse_map
from stockwire.importing.profile import FIELDS, REQUIRED, Profile, load_profile, save_profile
from stockwire.importing.shops import PROFILES, find_profile
from stockwire.importing.table import parse_table


def test_a_map_names_columns_of_any_name() -> None:
    assert parse_map('sku=SKU, quantity=Qty,"name=Name, long","price=""P"" = €"') == {
        "sku": "SKU",
        "quantity": "Qty",
        "name": "Name, long",
        "price": '"P" = €',
    }
    for wrong in ("", "sku", "sku=", "=SKU", "sku=A,sku=B", '"sku=A"B'):
        with pytest.raises(UnreadableFile, match="--map"):
            parse_map(wrong)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_is_sound_and_its_own_columns_are_recognised_as_it(profile: Profile) -> None:
    assert set(REQUIRED[profile.kind]) <= set(profile.columns)
    assert {name.partition(".")[0] for name in profile.columns} <= set(FIELDS[profile.kind])
    header = [names[0].replace("*", "Berlin") for names in profile.columns.values()]
    header += [mark for mark in profile.marks if mark.casefold() not in {name.casefold() for name in header}]
    found = fit(header, profile.kind, ReadOptions(), PROFILES.values())
    assert found is not None
    assert found.profile.name == profile.name
    assert profile.name.startswith("own-") or profile.source.startswith("https://")


def test_what_was_found_and_told_is_saved_and_reads_the_file_again_without_options(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text('Beleg;Artikel;"Menge; Stück";Tag;Preis\n1;A;2;02/11/2026 10:00;2,50\n', encoding="windows-1252")
    told = ReadOptions(
        columns=parse_map('number=Beleg,sku=Artikel,"quantity=Menge; Stück",at=Tag,price=Preis'),
        dates="dmy",
        timezone="Europe/Berlin",
    )
    first = read_sheet(path, told)
    saved = save_profile(first.profile, str(tmp_path / "till.toml"))
    again = read_sheet(path, ReadOptions(profile=load_profile(saved, "sales")))
    assert again.invoices == first.invoices
    assert again.profile.name == "till"
    with pytest.raises(UnreadableFile, match="for sales, not for items"):
        load_profile(saved, "items")


def test_a_bare_name_is_saved_among_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = save_profile(replace(PROFILES["own-items"], dates="dmy"), "mine")
    assert path == tmp_path / "stockwire" / "profiles" / "mine.toml"
    assert find_profile("mine", "items").dates == "dmy"
    assert find_profile("shopify-orders", "sales").name == "shopify-orders"
    for name, said in (("other", "neither a file, nor one saved, nor one of shopify"), ("shopify-orders", "for sales")):
        with pytest.raises(UnreadableFile, match=said):
            find_profile(name, "items")


texts = st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)


@given(st.dictionaries(st.sampled_from(FIELDS["sales"]), st.lists(texts, min_size=1, max_size=3).map(tuple)), texts)
def test_any_profile_is_read_as_it_was_saved(columns: dict[str, tuple[str, ...]], text: str) -> None:
    import tempfile

    profile = Profile("mine", "sales", columns, source=text, plain=(text, ""), numbers="daily", dates="mdy")
    with tempfile.TemporaryDirectory() as folder:
        assert load_profile(save_profile(profile, f"{folder}/mine.toml"), "sales") == profile


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 1", "name is no text"),
        ('kind = "sales"', "missing 1 required positional argument: 'name'"),
        ('name = "a"\nkind = "sales"\ncolor = "red"', "unexpected keyword argument 'color'"),
        ('name = "a"\nkind = "sales"\n[columns]\nskuu = "A"', "'skuu' is no field of sales"),
        ('name = "a"\nkind = "sales"\n[columns]\nsku = 1', "columns.sku is neither a text nor a list of texts"),
        ("name =", "is no TOML"),
    ],
)
def test_a_profile_that_is_wrong_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UnreadableFile, match=said):
        load_profile(path, "sales")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"separator": "ab"}, "--separator"),
        ({"encoding": "latin-99"}, "--encoding"),
        ({"dates": "dym"}, "--dates"),
        ({"decimal": ";"}, "--decimal"),
        ({"timezone": "Mars/Base"}, "--timezone"),
        ({"receipts": "weekly"}, "--receipts"),
    ],
)
def test_an_option_that_is_wrong_is_named(told: dict[str, Any], said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        ReadOptions(**told)


def test_attributes_of_items_are_columns_that_say_so(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("sku,name,price,currency,attribute.colour,attribute.size\nA,Mug,2.50,eur,white,\nA,Pot,,,,\n")
    read = read_items(path)
    assert [(row.sku, row.name, str(row.price), row.currency, row.attributes) for row in read.rows] == [
        ("A", "Mug", "2.50", "EUR", {"colour": "white"})
    ]
    assert [(reject.line, reject.word, reject.column) for reject in read.rejects] == [(3, "twice", "sku")]


@pytest.mark.parametrize("kind", FIELDS)
@given(st.lists(st.text(alphabet='numberskqtya,;|\t\n"=\x00\ufeff', max_size=12), max_size=6).map("\n".join))
def test_any_text_is_a_table_or_one_line(kind: str, text: str) -> None:
    try:
        parse_table(text.encode(), kind, ReadOptions())
        said = ""
    except UnreadableFile as error:
        said = str(error)
    assert "\n" not in said
