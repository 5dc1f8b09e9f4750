"""Does the server speak GraphQL over HTTP as the draft wants it? Its own audits, against a real server."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.running import at_school
from tests.school import LEARNER_9A

HERE = Path(__file__).parent / "graphql_http"
INSTALLED = HERE / "node_modules" / ".package-lock.json"

OFF = "GET is off by design"


async def run(*words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(*words, cwd=HERE, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(100):
            said, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(), errors.decode()


async def install() -> None:
    """Once; skips the test where that cannot be."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("npm is not here")
    if not INSTALLED.exists():
        code, _, errors = await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        if code:
            pytest.skip(f"npm could not fetch the audits: {errors.strip()[-200:]}")


async def test_the_audits_of_graphql_over_http_find_nothing(tmp_path: Path) -> None:
    await install()
    async with at_school(tmp_path, LEARNER_9A) as server:
        token = server.header(LEARNER_9A)["Authorization"]
        code, said, errors = await run("node", "audits.mjs", f"{server.address}/graphql", token)
    assert code == 0, errors
    results: list[dict[str, Any]] = json.loads(said)
    assert len(results) == 61
    worse = [each for each in results if each["status"] != "ok"]
    assert not [each for each in worse if each["status"] in ("error", "warn")], worse
    assert Counter(each["status"] for each in worse).keys() <= {"notice"}
    assert all("GET" in each["name"] for each in worse), OFF
