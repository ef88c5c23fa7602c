"""Every file that a shop has is read, mended where certain, and else rejected or asked about: never guessed."""

from pathlib import Path

import pytest

from tests.client.import_files import FILES, ImportFile, lines, read


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
