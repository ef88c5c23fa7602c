"""Rejected lines that an invoice is not whole without, and which invoice that is. Pure.

A line that is no goods, names no sku, moves nothing or is left out concerns no invoice. Of any other that was rejected
the invoice is known by its number, and on which day, if that can be read. Where it cannot, every invoice that it may
belong to is held back: that is said and can be mended, while a sale that is booked without a line cannot.
"""

from collections.abc import Iterator

from stockwire.importing import words
from stockwire.importing.fields import Fields
from stockwire.importing.invoice import Unread
from stockwire.importing.records import Record

NOTHING_TO_BOOK = frozenset(
    {words.EMPTY_LINE, words.NO_GOODS, words.NO_SKU, words.ZERO, words.LEFT_OUT, words.ELSEWHERE}
)


def unsound_lines(fields: Fields) -> Iterator[Unread]:
    """Of lines that are no sound line of the table, those that have a number of the file where numbers stand.

    Mostly a name with a comma and no quotes: the cells before it are in their places, counted from the front, and those
    behind it, counted from the end; with commas before and behind, the number stands between.
    """
    rejects = {reject.line: reject for reject in fields.rejects if reject.word == words.NO_TABLE}
    if not rejects:
        return
    texts = (text.strip() for text in fields.texts("number"))
    numbers = {text: read.value for text, read in zip(texts, fields.numbers(), strict=True) if read.value}
    for record in fields.table.records:
        if record.line in rejects:
            found = next((numbers[text] for text in _candidates(record, fields) if text in numbers), None)
            if found is not None:
                yield Unread(found, None, None, rejects[record.line])


def _candidates(record: Record, fields: Fields) -> Iterator[str]:
    front = fields.table.columns.at["number"]
    end = front + len(record.cells) - len(fields.table.header)
    for index in (front, end, *range(front + 1, end)):
        if 0 <= index < len(record.cells):
            yield record.cells[index].strip().strip('"').strip()
