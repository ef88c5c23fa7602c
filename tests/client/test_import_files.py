"""Every file that a shop has is read, mended where certain, and else rejected or asked about: never guessed."""

import dataclasses
from pathlib import Path

import pytest

from stockwire.importing import words
from stockwire.importing.profile import FIELDS, Profile
from stockwire.importing.shops import PROFILES
from tests.client.import_files import FILES, ImportFile, lines, read

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "import-files.md"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_meets_what_the_table_says(file: ImportFile, tmp_path: Path) -> None:
    met = read(file, tmp_path)
    if file.asks:
        assert file.asks in met.refusal
        return
    assert met.refusal == ""
    assert (met.taken, met.rejected, met.mended) == (file.taken, file.rejected, file.mended)
    for part in file.says:
        assert any(part in reading for reading in met.readings), (part, met.readings)


def test_the_table_can_be_printed() -> None:
    assert len(list(lines())) == len(FILES) + 2


def test_every_profile_field_and_word_stands_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = {value for name, value in vars(words).items() if name.isupper()}
    missing = [word for word in told if f"| {word} |" not in page and f"`{word}`" not in page]
    missing += [name for name in PROFILES if f"`{name}`" not in page]
    missing += [profile.source for profile in PROFILES.values() if profile.source not in page]
    missing += [name for names in FIELDS.values() for name in names if f"`{name}" not in page]
    missing += [one.name for one in dataclasses.fields(Profile) if f"`{one.name}`" not in page]
    missing += [
        name for name, profile in PROFILES.items() if profile.source and not _says_what_is_confirmed(page, profile)
    ]
    columns = {name for profile in PROFILES.values() for names in profile.columns.values() for name in names}
    assert not missing + [name for name in columns if name not in page]


def _says_what_is_confirmed(page: str, profile: Profile) -> bool:
    but = f"all but {', '.join(profile.unconfirmed)}" if profile.unconfirmed else "all"
    told = "none confirmed" if "*" in profile.unconfirmed else but
    return any(line.startswith(f"| `{profile.name}` |") and line.endswith(f"| {told} |") for line in page.splitlines())
