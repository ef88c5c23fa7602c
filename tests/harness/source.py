"""Reading our own source files and reference pages, for tests of the layout and of the public surface."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CLIENT = ROOT / "client-sdk" / "python" / "src"
SERVERS = ("wire", "server", "ledger", "hub", "console", "followers", "cli")
PACKAGES = {name: ROOT / name for name in SERVERS} | {"stockwire": CLIENT / "stockwire"}
SOURCES = [path for folder in PACKAGES.values() for path in sorted(folder.rglob("*.py"))]
TESTS = [
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "client-sdk" / "python" / "tests").rglob("*.py")),
    ROOT / "locustfile.py",
]
REFERENCE = ROOT / "docs" / "reference"


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def package_of(path: Path) -> str:
    return next(name for name, folder in PACKAGES.items() if path.is_relative_to(folder))


def module_name(path: Path) -> str:
    base = CLIENT if path.is_relative_to(CLIENT) else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Absolute names of every import in the file, inside functions too. Of ``from a import b`` both ``a`` and ``a.b``:
    who reads the line alone cannot tell whether ``b`` is a file.
    """
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The module of ``from . import b`` or ``from .a import b`` in this file, as the others name it."""
    folders = module_name(path.with_name("__init__.py")).split(".") if node.level else []
    return ".".join([*folders[: len(folders) + 1 - node.level], *filter(None, [node.module])])


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls_of(path: Path, name: str) -> Iterator[ast.Call]:
    """Calls of a function, class or method of this name, however it is reached."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == name:
            yield node


def strings_in(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def strings_of(path: Path) -> Iterator[str]:
    """Every string in the file but docstrings."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def module_level_calls(path: Path) -> Iterator[ast.Call]:
    """Calls that run on import: those outside of functions and of ``if TYPE_CHECKING`` and ``if __name__``."""
    pending: list[ast.AST] = list(parsed(path).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith(("TYPE_CHECKING", "__name__")):
            continue
        if isinstance(node, ast.Call):
            yield node
        pending.extend(ast.iter_child_nodes(node))


def section(page: str, title: str) -> str:
    """Of a Markdown page: from a heading to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE)
    assert match, f"no section {title}"
    return match[1]


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of every Markdown table whose first column is headed ``head``."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == head:
            inside = True
        elif inside and not set(cells[0]) <= {"-", ":"}:
            found.append(cells)
    return found


def code_names(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)
