"""docs/programmes.md from an empty file to a published programme: every command of the page, in its order.

Those of the rehearsal of a programme of the gallery are typed by tests/e2e/test_documentation.py.
"""

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.rules.command import app as rules
from services.rules.programmes.command import app as programme
from tests.integration.rules.decide.conftest import KEY

PAGE = (Path(__file__).parents[4] / "docs" / "programmes.md").read_text(encoding="utf-8")
COMMANDS = [
    command
    for block in re.findall(r"```shell\n(.*?)\n```", PAGE, re.DOTALL)
    for command in block.splitlines()
    if command.startswith("bonus ")
]
FILES = dict(
    zip(re.findall(r"as `([\w.-]+\.yaml)`:", PAGE), re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL), strict=False)
)
SAID = {
    "lint": "corner-shop.yaml: programme corner-shop, 1 rules: good\n",
    "terms": "# corner-shop: zasady programu\n",
    "publish": "corner-shop: version ",
    "diff": "",
    "explain": "# corner-shop: how it works\n",
    "rehearse": "corner-shop: 0 baskets of 0 members; rehearsed 0.00, live 0.00, difference 0.00 PLN\n",
    "versions": "   1  starts at 2026-01-01 00:00:00 UTC  by bonus programme\n   2  starts at ",
    "rollback": "corner-shop: version 3 starts at ",
    "suspend": "corner-shop: stands still from ",
    "resume": "corner-shop: ",
}


async def test_a_newcomer_follows_the_page(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader types works, word for word, and says what the page promises."""
    assert list(FILES) == ["corner-shop.yaml", "corner-shop-2.yaml"]
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BONUS_POSTGRES_DSN", database)
    monkeypatch.setenv("BONUS_MASTER_KEYS", f"one:{KEY}")
    monkeypatch.setenv("BONUS_REHEARSAL_NICENESS", "0")
    apps = {"programme": programme, "rules": rules}
    said: dict[str, list[str]] = {}
    for command in COMMANDS:
        group, word, *rest = shlex.split(command)[1:]
        result = await asyncio.to_thread(CliRunner().invoke, apps[group], [word, *rest])
        assert (result.exit_code, result.stdout.startswith(SAID[word])) == (0, True), (command, result.output)
        said.setdefault(word, []).append(result.stdout)
    assert list(said) == list(SAID)
    # Against the file and against the version in force, in two languages, the same is new.
    between, live = said["diff"]
    assert "+ new: For products in the category “dairy”: twice as many points.\n" in between
    assert "+ nowe: Za produkty z kategorii „nabiał”: dwa razy więcej punktów.\n" in live
