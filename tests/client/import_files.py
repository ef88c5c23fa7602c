"""Files as shops have them, made here, and what each meets: ``python -m tests.client.import_files`` prints the table.

`stockwire.importing.shops` says which headers of the shops' exports are confirmed on a page of the maker.
"""

import gzip
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl

from stockwire.importing import ReadOptions, UnreadableFile, read_items, read_sheet, read_stock
from stockwire.importing.columns import parse_map

OWN = "number,sku,quantity,at,name,price"
SAMPLE = Path(__file__).parents[2] / "cli" / "sample" / "online-retail-2010-12-01_10.csv.gz"


@dataclass(frozen=True)
class ImportFile:
    """``taken``: how many lines become something. ``rejected``: word to count. ``says``: parts of the readings.

    ``asks``: a part of the line with which the whole file is refused.
    """

    name: str
    content: bytes
    taken: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    mended: Mapping[str, int] = field(default_factory=dict)
    asks: str = ""
    kind: str = "sales"
    options: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ".csv"


@dataclass(frozen=True)
class Met:
    """What reading a file came to."""

    taken: int
    rejected: Mapping[str, int]
    readings: tuple[str, ...]
    mended: Mapping[str, int]
    refusal: str
    became: tuple[Any, ...] = ()

    def line(self) -> str:
        if self.refusal:
            return f"refused: {self.refusal}"
        parts = [f"{self.taken} taken"]
        parts += [f"{count} rejected: {word}" for word, count in self.rejected.items()]
        parts += [f"{count} mended: {word}" for word, count in self.mended.items()]
        return "; ".join(parts) + "".join(f" · {reading}" for reading in self.readings)


def read(file: ImportFile, folder: Path) -> Met:
    path = folder / f"file{file.suffix}"
    path.write_bytes(file.content)
    try:
        options = ReadOptions(**file.options)
        if file.kind == "sales":
            sheet = read_sheet(path, options)
            rows: tuple[Any, ...] = tuple(line for invoice in sheet.invoices for line in invoice.lines)
            result: Any = sheet
        else:
            result = read_items(path, options) if file.kind == "items" else read_stock(path, options)
            rows = result.rows
    except UnreadableFile as error:
        return Met(0, {}, (), {}, str(error).replace(f"{path}: ", "").replace(str(path), path.name))
    assert result.lines_read == len(rows) + len(result.rejects)  # nothing vanishes
    words = Counter(reject.word for reject in result.rejects)
    return Met(len(rows), dict(words), result.readings, dict(result.mends), "", rows)


def csv_of(*lines: str, header: str = OWN) -> str:
    return "".join(f"{line}\n" for line in (header, *lines))


def export(name: str) -> bytes:
    """A shop's export, as it lies beside this file."""
    return Path(__file__).with_name("exports").joinpath(f"{name}.csv").read_bytes()


def workbook(*rows: tuple[Any, ...], second: str = "", zeros: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if zeros:
        for cell in sheet["B"][1:]:
            cell.number_format = zeros
    if second:
        book.create_sheet(second).append(("number", "sku"))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


ISO = csv_of(
    "1,A,2,2026-11-02T10:00:00Z,Mug,2.55",
    "1,B,1,2026-11-02T10:00:00.654321Z,Pot,9",
    "2,A,1,2026-11-02T11:00:00+01:00,Mug,2.55",
)
GERMAN = csv_of(
    "1;A;2;02.11.2026 10:00;Tasse;2,55",
    "2;B;1;13.11.2026 10:00;Töpfe;1.099,00",
    header=OWN.replace(",", ";"),
)
ALLOWED = {"dates": "dmy"}

FILES: tuple[ImportFile, ...] = (
    ImportFile("as Stockwire itself prints times", ISO.encode(), 3, says=()),
    ImportFile(
        "UTF-8 with BOM, semicolons, decimal comma, dots in dates",
        b"\xef\xbb\xbf" + GERMAN.encode(),
        2,
        says=("byte order mark", "separator semicolon", "decimal comma, as in '2,55'", "13.11.2026"),
    ),
    ImportFile(
        "UTF-16 LE with BOM, tabs (Excel's Unicode text)",
        b"\xff\xfe" + ISO.replace(",", "\t").encode("utf-16-le"),
        3,
        says=("utf-16-le, by its byte order mark", "separator tab"),
    ),
    ImportFile("UTF-16 BE with BOM", b"\xfe\xff" + ISO.encode("utf-16-be"), 3, says=("utf-16-be",)),
    ImportFile("UTF-16 LE without BOM", ISO.encode("utf-16-le"), 3, says=("by its zero bytes",)),
    ImportFile(
        "Windows-1252, semicolons",
        GERMAN.encode("windows-1252"),
        2,
        says=("encoding windows-1252, since lines that are no UTF-8: 1",),
    ),
    ImportFile(
        "UTF-8 in one line, Windows-1252 in another",
        csv_of("1,A,1,2026-11-02,Café,1").encode() + "2,B,1,2026-11-02,Café,1\n".encode("windows-1252"),
        2,
        says=("UTF-8 (lines: 1) and windows-1252 (lines: 1)",),
    ),
    ImportFile("pipes, gzip", gzip.compress(ISO.replace(",", "|").encode()), 3, says=("separator pipe",), suffix=".gz"),
    ImportFile("Excel's first line sep=;", b"sep=;\r\n" + GERMAN.replace("\n", "\r\n").encode(), 2),
    ImportFile("line ends of old Macs", ISO.replace("\n", "\r").encode(), 3),
    ImportFile(
        "a report: title above the header, empty lines and columns after it",
        f"Sales of November,,,,,\n,,,,,\n{ISO}".replace("2.55\n", "2.55,,\n").encode() + b",,,,,\n,,,,,\n\n",
        3,
        says=("the header is line 3",),
    ),
    ImportFile(
        "quoted line breaks, doubled quotes, a quote that is not closed",
        csv_of(
            '1,A,1,2026-11-02,"Mug\nwhite, 8"" high",1', '2,B,1,2026-11-02,"Pot,1', "3,C,1,2026-11-02,Jug,1"
        ).encode(),
        2,
        {"no sound line of the table": 1},
    ),
    ImportFile(
        "the same column name twice",
        csv_of("1,A,1,2026-11-02,5", header="number,sku,quantity,at,Quantity").encode(),
        asks="'Quantity' is there twice, as column 3 and as column 5",
    ),
    ImportFile(
        "columns of other names, told by --map",
        csv_of("1;A;2;2.11.2026;3", header='Beleg;Artikel;"Menge, Stück";Tag;"Menge, Stück alt"').encode(),
        1,
        options={"columns": parse_map('number=Beleg,sku=Artikel,"quantity=Menge, Stück",at=Tag')},
        says=("dates with dots are taken as day.month.year",),
    ),
    ImportFile(
        "columns of other names, nothing told",
        csv_of("1;A;2;2.11.2026", header="Beleg;Artikel;Menge;Tag").encode(),
        asks="it has Beleg, Artikel, Menge, Tag. Say which is which: --map number=COLUMN",
    ),
    ImportFile(
        "month first, AM and PM, decided by the 13th",
        csv_of("1,A,1,11/2/2026 1:05 PM,Mug,1", "2,A,1,11/13/26 12:00 am,Mug,1").encode(),
        2,
        says=("dates are month/day/year: '11/13/26 12:00 am' (line 3)", "taken as UTC"),
    ),
    ImportFile(
        "2/11 and 3/11: two readings, none decided",
        csv_of("1,A,1,2/11/2026 10:00,Mug,1", "2,A,1,3/11/2026 10:00,Mug,1").encode(),
        asks="can be 2 Nov 2026 or 11 Feb 2026, and no date of the file decides: say --dates dmy or --dates mdy",
    ),
    ImportFile("the same, told --dates dmy", csv_of("1,A,1,2/11/2026 10:00,Mug,1").encode(), 1, options=ALLOWED),
    ImportFile(
        "13/11 and 11/13 in one file",
        csv_of("1,A,1,13/11/2026,Mug,1", "2,A,1,11/13/2026,Mug,1").encode(),
        asks="dates are written in two ways",
    ),
    ImportFile(
        "the hour that is skipped and the one that comes twice",
        csv_of("1,A,1,2026-03-29 02:30,Mug,1", "2,A,1,2026-10-25 02:30,Mug,1", "3,A,1,2026-10-25 12:00,Mug,1").encode(),
        2,
        {"no such time": 1},
        mended={"hour that comes twice, first taken": 1},
        options={"timezone": "Europe/Berlin"},
    ),
    ImportFile(
        "names of months, and a spreadsheet's date serials",
        csv_of("1,A,1,2 Nov 2026 10:00,Mug,1", '2,A,1,"Nov 3, 2026",Mug,1', "3,A,1,46328.4166,Mug,1").encode(),
        2,
        {"date serial": 1},
    ),
    ImportFile(
        'skus that a spreadsheet has had: 1.2E+12, \'00123, ="00124", 123.0',
        csv_of(
            "1,1.2E+12,1,2026-11-02,a,1",
            "2,'00123,1,2026-11-02,b,1",
            '3,"=""00124""",1,2026-11-02,c,1',
            "4,777.0,1,2026-11-02,d,1",
            "5,#N/A,1,2026-11-02,e,1",
        ).encode(),
        2,
        {"digits lost": 1, "decimals in a code": 1, "spreadsheet error": 1},
        mended={"leading apostrophe taken away": 1, '="..." taken as its text': 1},
    ),
    ImportFile(
        "a leading zero lost: 123 beside 00123",
        csv_of("1,00123,1,2026-11-02,a,1", "2,123,1,2026-11-02,a,1", "3,B,1,2026-11-02,b,1").encode(),
        2,
        {"leading zero lost": 1},
    ),
    ImportFile(
        "a leading zero lost: a GTIN of 11 digits among those of 12",
        csv_of(
            "1,036000291452,1,2026-11-02,a,1", "2,725272730706,1,2026-11-02,b,1", "3,12345678905,1,2026-11-02,c,1"
        ).encode(),
        2,
        {"leading zero lost": 1},
    ),
    ImportFile(
        "quantities 6.0, 6.5, 1,000, a typographic minus, hard spaces; prices with signs",
        csv_of(
            '1,A,6.0,2026-11-02,a,"€ 1,250.50"',
            "2,A,6.5,2026-11-02,a,$2.00",
            '3,A,"1,000",2026-11-02,a,2.00 EUR',
            "4,A,\u22122,2026-11-02,a,?",
            "5,A,\u00a03\u00a0,2026-11-02,a,",
        ).encode(),
        4,
        {"no whole number": 1},
        mended={
            "6.0 taken as 6": 1,
            "thousands separators taken away": 1,
            "minus sign of another kind": 1,
            "no-break spaces taken away": 1,
            "price that cannot be read left out": 1,
        },
    ),
    ImportFile(
        "1.000: a thousand or one?",
        csv_of("1,A,1.000,2026-11-02,a,").encode(),
        asks="'1.000' (line 2) can be a thousand or a fraction",
    ),
    ImportFile(
        "2,50 and 2.50 in one file",
        csv_of('1,A,1,2026-11-02,a,"2,50"', "2,A,1,2026-11-02,a,2.50").encode(),
        asks="numbers are written in two ways: '2.50' (line 3) and '2,50' (line 2)",
    ),
    ImportFile(
        ".xlsx: dates as dates, 6.0, a format of zeros, 16 digits",
        workbook(
            ("number", "sku", "quantity", "at"),
            (1, 123, 6.0, datetime(2026, 11, 2, 10)),
            (2, 1234567890123456, 1, datetime(2026, 11, 2, 10)),
            (3, "B-1", 6.5, "2026-11-02"),
            (4, 77, 1, 46328),
            zeros="00000",
        ),
        1,
        {"digits lost": 1, "no whole number": 1, "date serial": 1},
        suffix=".xlsx",
    ),
    ImportFile(
        ".xlsx with two worksheets",
        workbook(("number", "sku", "quantity", "at"), second="Stock"),
        asks="2 worksheets hold something (Sheet, Stock): say which with --worksheet NAME",
        suffix=".xlsx",
    ),
    ImportFile("an old .xls file", b"\xd0\xcf\x11\xe0" + bytes(512), asks="old Excel file (.xls)", suffix=".xls"),
    ImportFile(
        "the sample (Online Retail)",
        SAMPLE.read_bytes(),
        25_175,
        {"no goods": 106},
        says=("profile online-retail",),
        suffix=".gz",
    ),
    ImportFile(
        "Shopify: orders",
        export("shopify-orders"),
        3,
        {"no sku": 1, "left out": 1},
        says=("profile shopify-orders", "refunded orders: 1"),
    ),
    ImportFile(
        "Shopify: products",
        export("shopify-products"),
        3,
        {"no sku": 1},
        says=("profile shopify-products",),
        kind="items",
    ),
    ImportFile(
        "Shopify: inventory",
        export("shopify-inventory"),
        1,
        {"left out": 1, "negative": 1},
        says=("profile shopify-inventory",),
        kind="stock",
    ),
    ImportFile(
        "Square: items detail",
        export("square-items-detail"),
        2,
        {"no sku": 1},
        says=("profile square-items-sold",),
        mended={"6.0 taken as 6": 2},
    ),
    ImportFile(
        "Square: transactions instead of items",
        export("square-transactions"),
        asks="export the Items Detail CSV instead",
    ),
    ImportFile(
        "Square: item library, stock of two locations",
        export("square-library"),
        3,
        {"quantity": 1},
        says=("profile square-stock",),
        kind="stock",
    ),
    ImportFile(
        "WooCommerce: order lines",
        export("woocommerce-order-lines"),
        1,
        {"left out": 1},
        says=("profile woocommerce-order-lines", "taken as UTC"),
    ),
    ImportFile("WooCommerce: Analytics > Orders", export("woocommerce-analytics-orders"), asks="names no skus"),
    ImportFile(
        "WooCommerce: products, prices with a decimal comma",
        export("woocommerce-products"),
        2,
        {"left out": 1},
        says=("profile woocommerce-products", "decimal comma"),
        kind="items",
    ),
    ImportFile(
        "WooCommerce: stock of the same file",
        export("woocommerce-stock"),
        1,
        {"left out": 2},
        says=("profile woocommerce-stock",),
        kind="stock",
    ),
    ImportFile(
        "Lightspeed (X-Series): sales history",
        export("lightspeed-sales-history"),
        2,
        {"no goods": 2, "left out": 1},
        says=("profile lightspeed-sales",),
    ),
    ImportFile(
        "Lightspeed (X-Series): stock of two outlets",
        export("lightspeed-products"),
        3,
        {"left out": 1},
        says=("profile lightspeed-stock",),
        kind="stock",
    ),
)


def lines() -> Iterator[str]:
    """The table, in Markdown."""
    yield "| File | What it meets |"
    yield "|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        for file in FILES:
            kind = "" if file.kind == "sales" else f" (import {file.kind})"
            yield f"| {file.name}{kind} | {read(file, Path(folder)).line()} |".replace("\n", " ")


if __name__ == "__main__":
    for printed in lines():
        sys.stdout.write(f"{printed}\n")
