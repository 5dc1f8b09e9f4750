"""Does docs/operations.md say what is so? Its tables against the settings, the metrics and the routes."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import downloads, sending, uploads
from app.__main__ import cli
from app.http import LARGEST_BODY, LARGEST_SIGNED_OUT, LONGEST_BODY
from app.metrics import Metrics
from app.server import IDLE
from app.settings import Settings
from app.shares import AT_WORK, LONGEST_WAIT, SUBSCRIPTIONS, UNDER_WAY
from app.sockets import LARGEST_MESSAGE
from app.tally import SLOW
from app.websocket import Terms
from models.backlog import RECENT
from models.database.backend import LONGEST_ANSWER
from tests.web import served

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the first table below this heading, by what stands in code in their first cell."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"
    ]
    return {row[0].strip("`"): row[1:] for row in rows}


def shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return f"`{value}`"


def test_every_setting_is_there_with_its_default() -> None:
    defaults = {f"PREAU_{name.upper()}": shown(field.default) for name, field in Settings.model_fields.items()}
    assert {name: row[0] for name, row in table("Settings").items()} == defaults


def test_no_other_variable_is_named() -> None:
    known = {f"PREAU_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"PREAU_[A-Z_]+", PAGE)) <= known


def test_every_metric_is_there_with_its_labels() -> None:
    metrics = Metrics()
    rows = table("Metrics")
    assert rows.pop("process_...")
    assert sorted(rows) == [name for name in metrics.names() if not name.startswith("process_")]
    for family in text_string_to_metric_families(metrics.page().decode()):
        if family.name.startswith("preau_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            assert set(re.findall(r"`(\w+)`", rows[name][0])) == labels, name


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_the_paths_that_it_names_answer(tmp_path: Path, path: str) -> None:
    assert f"`{path}`" in PAGE
    async with served(tmp_path, environment="development") as web, web.client.get(web.address + path) as answer:
        assert answer.status == 200


def test_the_limits_are_those_of_the_program() -> None:
    terms = Terms()
    for said in (
        f"the server's {IDLE} s",
        f"{LARGEST_BODY // 1024} KiB for an operation",
        f"{LARGEST_MESSAGE // 1024} KiB for a message",
        f"{terms.to_sign_in:g} s to sign in",
        f"{terms.to_read:g} s for a peer",
        f"pings sockets every {terms.heartbeat:g} s",
        f"{terms.sockets_per_person} sockets of",
        f"over HTTP | {AT_WORK}; {UNDER_WAY:,} |",
        f"on all sockets | {SUBSCRIPTIONS:,} |",
        f"{uploads.AT_ONCE}; {downloads.AT_ONCE} at once",
        f"no turn in {LONGEST_WAIT:g} s",
        f"{LARGEST_SIGNED_OUT // 1024} KiB for one without a valid token",
        f"{LONGEST_ANSWER // 1024**2} MiB; more is refused",
        f"{IDLE} s for a connection",
        f"{LONGEST_BODY:g} s for an operation's body",
        f"{sending.LONGEST:g} s for an answer",
        f"{uploads.SILENCE:g} s for a file",
        f"last {RECENT.total_seconds() // 3600:g} hours",
    ):
        assert said in " ".join(PAGE.split()), said
    assert SLOW == 1.0, "longer than a second"


def test_the_commands_that_it_types_exist() -> None:
    known = {command.name or command.callback.__name__ for command in cli.registered_commands if command.callback}
    typed = set(re.findall(r"-m app (\w+)", PAGE))
    assert {"serve", "import", "backup"} <= typed <= known


def test_the_service_is_well_formed() -> None:
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit)
    assert parser["Service"]["ExecStart"].endswith("-m app serve")
    assert int(parser["Service"]["TimeoutStopSec"]) > 1
