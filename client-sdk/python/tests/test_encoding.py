"""Any encoding that Python knows, told for any file: its text, or one line that says why not."""

import warnings
from encodings.aliases import aliases

import pytest

from stockwire.importing import ReadOptions, UnreadableFile
from stockwire.importing.encoding import decode

CONTENT = "number,sku\n1,a\\é-\u2028\n".encode("latin-1", "replace") + bytes(range(256)) + b"\xff.." * 40


@pytest.mark.parametrize("name", sorted({*aliases.values(), "idna", "undefined", "unicode_escape", "punycode"}))
def test_an_encoding_that_cannot_read_the_file_is_one_line(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that are none
        try:
            ReadOptions(encoding=name)
            said = ""
            decode(CONTENT, name)
        except UnreadableFile as error:
            said = str(error)
    assert "\n" not in said


def test_a_file_that_is_not_in_the_encoding_told_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="the file cannot be read as --encoding idna"):
        decode(CONTENT, "idna")
