"""Does the code keep its own rules? Who may import whom, how long a file is, and what nobody uses or asks for."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.presets import PRESETS

ROOT = Path(__file__).parents[1]
CODE = ("app", "schema", "resolvers", "models", "jobs")
LONGEST = 300
GENERATED = ROOT / "models" / "migrations" / "versions"


def files(*folders: str) -> Iterator[Path]:
    for folder in folders or CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts and GENERATED not in path.parents:
                yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))


# --------------------------------------------------------------------------------------- the contracts


def lint_imports(root: Path) -> tuple[int, str]:
    """The exit code and the words of import-linter for the code at this place."""
    program = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [program, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [each["name"] for each in settings["tool"]["importlinter"]["contracts"]]


def verdicts(report: str) -> dict[str, str]:
    return dict(re.findall(r"^(.+) (KEPT|BROKEN)", report, re.MULTILINE))


def test_the_layers_are_kept() -> None:
    code, report = lint_imports(ROOT)
    assert code == 0, report
    assert verdicts(report) == dict.fromkeys(contracts(), "KEPT")


FORBIDDEN = {
    "app -> schema -> resolvers -> models": ("models/text.py", "import resolvers.ids"),
    "app -> jobs -> models": ("jobs/nightly.py", "import app.settings"),
    "resolvers, schema and jobs do not know each other": ("jobs/stale_calls.py", "import resolvers.urls"),
    "the API does not know the jobs": ("resolvers/ids.py", "import jobs.stale_calls"),
    "only the schema speaks GraphQL": ("resolvers/asked.py", "from graphql import parse"),
    "the schema does not speak SQL": ("schema/given.py", "from sqlalchemy import select"),
    "only app knows the web": ("schema/inputs.py", "import aiohttp"),
}
"""For each contract a line that breaks it."""


def test_the_layers_bite(tmp_path: Path) -> None:
    """In a copy where each contract is broken once, each is found broken."""
    assert FORBIDDEN.keys() == set(contracts())
    for path in files():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for file, line in FORBIDDEN.values():
        with (tmp_path / file).open("a", encoding="utf-8") as planted:
            planted.write(f"\n{line}\n")
    code, report = lint_imports(tmp_path)
    assert code == 1
    assert verdicts(report) == dict.fromkeys(contracts(), "BROKEN"), report


def test_only_app_reads_the_environment() -> None:
    for path in files("schema", "resolvers", "models", "jobs"):
        for node in nodes(path):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("environ", "getenv"), f"{name_of(path)}:{node.lineno}"
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert not names & {"environ", "getenv"}, f"{name_of(path)}:{node.lineno}"


# ------------------------------------------------------------------------------------------ the files


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files()}
    assert len(lengths) > 80
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("word", ["utils", "helpers", "services", "managers", "repositories"])
def test_no_file_says_nothing_about_what_is_in_it(word: str) -> None:
    singular = word.removesuffix("s")
    for path in files(*CODE, "tests", "benchmarks"):
        parts = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
        assert not parts & {word, singular}, name_of(path)


def test_no_name_is_without_meaning() -> None:
    """Names are the school's nouns: nothing manages, serves, handles or helps."""
    empty = re.compile(r"(Manager|Service|Handler|Helper|Utils?|Data|Info)$")
    for path in files():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                assert node.name == "PageInfo" or not empty.search(node.name), f"{name_of(path)}:{node.lineno}"


def test_every_module_says_what_it_answers() -> None:
    for path in files(*CODE, "tests", "benchmarks"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        assert not module.body or ast.get_docstring(module), name_of(path)


# ----------------------------------------------------------------------------- what nobody uses or asks


def test_nobody_loads_one_by_one() -> None:
    """No DataLoader of any kind: what is asked for is one statement."""
    for path in files(*CODE, "tests", "benchmarks"):
        for node in nodes(path):
            imported = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            source = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = (
                [node.id] if isinstance(node, ast.Name) else [node.attr] if isinstance(node, ast.Attribute) else []
            )
            assert not any("dataloader" in name.lower() for name in (*imported, *source, *names)), name_of(path)
    for file in ("pyproject.toml", "requirements.lock"):
        assert "dataloader" not in (ROOT / file).read_text(encoding="utf-8").lower()


def asks_for_a_preset(module: ast.Module) -> Iterator[ast.Constant]:
    """Where the name of a preset stands other than as the value that something called a preset is given."""
    given: set[ast.AST] = set()
    for node in ast.walk(module):
        match node:
            case ast.keyword(arg=str(name), value=value) if "preset" in name.lower():
                given.add(value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "preset" in name.lower():
                given.add(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if "preset" in name.lower():
                given.add(value)
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and node.value in PRESETS and node not in given:
            yield node


def test_nobody_asks_for_the_name_of_a_preset() -> None:
    """Code asks for a knob. A preset's name is only ever given: to a school that begins, as a default."""
    for path in files(*CODE, "benchmarks"):
        if name_of(path) != "models/presets.py":
            found = [node.lineno for node in asks_for_a_preset(ast.parse(path.read_text(encoding="utf-8")))]
            assert found == [], f"{name_of(path)}: lines {found}"


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('FIRST_PRESET = "EPOS_SCHOOL"', 0),
        ('school(preset="EPOS_SCHOOL")', 0),
        ('preset: str = "EPOS_SCHOOL"', 0),
        ('if school.preset == "EPOS_SCHOOL": pass', 1),
        ('x = {"EPOS_SCHOOL": 1, "EPOS_COLLEGE": 2}', 2),
        ('def calls(name="EPOS_SCHOOL"): pass', 1),
        ('match preset:\n    case "EPOS_COLLEGE": pass', 1),
        ('"""About EPOS_SCHOOL."""', 0),
    ],
)
def test_asking_for_a_preset_is_seen(code: str, count: int) -> None:
    assert len(list(asks_for_a_preset(ast.parse(code)))) == count
