"""The shape of the house: budgets, lazy imports, no knowledge in code, nothing of the workplace.

Raising a budget takes a decision record (docs/decisions/).
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted(
    path for path in (ROOT / "auditor").rglob("*.py") if "migrations/versions" not in str(path)
)
FILE_P95, FILE_MOST = 300, 400
FUNCTION_P95, FUNCTION_MOST = 35, 60
NESTING_MOST = 3
TEST_LINES_PER_CODE_LINE = (0.7, 1.6)
HEAVY = (
    *("scapy", "sqlmodel", "sqlalchemy", "alembic", "jinja2", "psycopg", "weasyprint"),
    *("asyncio", "ssl", "numpy", "re2", "netaddr", "nmap", "cryptography"),
)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def code_lines(path):
    """Lines that are neither blank nor comment; docstrings count as comment."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    told = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                told |= set(range(node.lineno, node.end_lineno + 1))
    return sum(
        1
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#") and number not in told
    )


def functions():
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def body_length(node):
    """Lines of a function from `def` to its end without its docstring."""
    first = node.body[0]
    told = (
        first.end_lineno - first.lineno + 1
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        else 0
    )
    return node.end_lineno - node.lineno + 1 - told


def depth(node, level=0):
    blocks = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
    deepest = level
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        inside = isinstance(child, blocks)
        # elif is one more If in orelse, and no deeper for the reader
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        deepest = max(deepest, depth(child, level + (inside and not chained)))
    return deepest


def test_files_are_short():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in CODE}
    long = {str(p.relative_to(ROOT)): n for p, n in lengths.items() if n > FILE_MOST}
    assert not long, f"files over {FILE_MOST} lines: {long}"
    assert percentile(lengths.values(), 0.95) <= FILE_P95


def test_functions_are_short():
    lengths = {(p, n.name, n.lineno): body_length(n) for p, n in functions()}
    long = {f"{p.relative_to(ROOT)}:{at} {name}": n for (p, name, at), n in lengths.items()}
    over = {where: n for where, n in long.items() if n > FUNCTION_MOST}
    assert not over, f"functions over {FUNCTION_MOST} lines: {over}"
    assert percentile(lengths.values(), 0.95) <= FUNCTION_P95


def test_nothing_is_nested_deeply():
    deep = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": depth(node)
        for path, node in functions()
        if depth(node) > NESTING_MOST
    }
    assert not deep, f"nested more than {NESTING_MOST} deep: {deep}"


def test_every_dataclass_is_frozen():
    loose = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            for mark in node.decorator_list:
                text = ast.unparse(mark)
                if text.split("(")[0].endswith("dataclass") and "frozen=True" not in text:
                    loose.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not loose


def test_every_module_says_what_it_answers():
    silent = [
        str(path.relative_to(ROOT))
        for path in CODE
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def test_tests_and_code_are_in_proportion():
    code = sum(map(code_lines, CODE))
    tests = sum(
        code_lines(path)
        for path in (ROOT / "tests").rglob("*.py")
        if not {"captures", "corpus"} & set(path.parts)
    )
    low, high = TEST_LINES_PER_CODE_LINE
    assert low <= tests / code <= high, f"{tests} lines of tests to {code} lines of code"


@pytest.mark.parametrize(
    ("library", "room"),
    [
        ("scapy", ("tests/",)),  # an oracle for the tests, no part of the program
        ("nmap", ("auditor/net/nmap.py",)),
        ("sqlmodel", ("auditor/store/",)),
        ("sqlalchemy", ("auditor/store/",)),
        ("jinja2", ("auditor/formats/",)),
        ("typer", ("auditor/cli", "auditor/options.py")),
        ("rich", ("auditor/cli", "auditor/commands/")),
        ("netaddr", ("auditor/model/address.py",)),
    ],
)
def test_a_library_stays_in_its_room(library, room):
    strangers = []
    for path in CODE:
        where = str(path.relative_to(ROOT))
        if where.startswith(room):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            strangers += [f"{where}:{node.lineno}" for n in names if n.split(".")[0] == library]
    assert not strangers, f"{library} is imported outside {room}"


def test_help_loads_nothing_heavy():
    script = (
        "import sys, json, contextlib, io\n"
        "from auditor.cli import main\n"
        "sys.argv = ['auditor', '--help']\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(run.stdout))
    assert not loaded & set(HEAVY)


def test_no_maker_stands_in_code():
    """Knowledge is data: a name of a maker in code is a rule that no officer can see."""
    names = re.compile(
        r"hikvision|dahua|ezviz|hilook|hytera|huawei|\bzte\b|uniview|hanwha|reolink", re.IGNORECASE
    )
    said = []
    for path in CODE:
        where = str(path.relative_to(ROOT))
        if where.startswith("auditor/lab/"):  # the simulated department plays such devices
            continue
        tree = ast.parse(path.read_text("utf-8"))
        told = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        said += [
            f"{where}:{node.lineno} {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in told
            and names.search(node.value)
        ]
    assert not said


def test_only_the_scheduler_catches_everything():
    broad = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            all_of_it = node.type is None or ast.unparse(node.type) in {
                "Exception",
                "BaseException",
            }
            # who cleans up and raises again has caught nothing
            if all_of_it and not (isinstance(node.body[-1], ast.Raise) and not node.body[-1].exc):
                broad.append(str(path.relative_to(ROOT)))
    assert set(broad) <= {"auditor/schedule.py"}


def test_print_and_exit_stand_in_the_command_line_only():
    loud = []
    for path in CODE:
        where = str(path.relative_to(ROOT))
        if where.startswith(("auditor/cli", "auditor/commands/", "auditor/lab/")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "print",
                "sys.exit",
                "datetime.now",
                "date.today",
                "time.time",
            }:
                loud.append(f"{where}:{node.lineno} {ast.unparse(node.func)}")
    assert not loud
