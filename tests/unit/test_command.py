from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services import command
from services.command import Part
from services.runtime import token_command, tokens


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose modules can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_help_names_the_parts_and_imports_none(modules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Help is quick, whatever the parts take to import, and shows no part that is not installed."""
    (modules / "part_that_is_slow.py").write_text("raise AssertionError('imported')")
    parts = {"slow": Part("part_that_is_slow", "It takes long."), "gone": Part("part_not_there", "Not installed.")}
    with pytest.raises(SystemExit) as ended:
        command.run(["--help"], parts)
    shown = capsys.readouterr().out
    assert (ended.value.code, "It takes long." in shown, "gone" in shown) == (0, True, False)


def test_a_part_gets_the_rest_of_the_line(modules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first word names the part; what follows is the part's own business."""
    (modules / "part_that_greets.py").write_text(
        "import typer\napp = typer.Typer()\n@app.command()\n"
        "def greet(name: str) -> None:\n    typer.echo(f'hello {name}')\n"
    )
    with pytest.raises(SystemExit) as ended:
        command.run(["greet", "Anna"], {"greet": Part("part_that_greets", "Greets.")})
    assert (ended.value.code, capsys.readouterr().out) == (0, "hello Anna\n")


def test_a_broken_part_shows_its_error_and_hinders_no_other(modules: Path) -> None:
    """A part that cannot be imported is not passed over in silence: what it lacks is named."""
    (modules / "part_that_is_broken.py").write_text("import a_library_that_is_missing")
    parts = {"broken": Part("part_that_is_broken", "Broken.")}
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_missing"):
        command.run(["broken"], parts)


def test_servers_that_do_not_answer_are_no_fault_of_the_command(
    modules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what did not answer, another where it was looked for; a fault of ours keeps its traceback."""
    lines = "import typer\napp = typer.Typer()\n@app.command()\ndef go() -> None:\n    raise {}\n"
    (modules / "part_without_servers.py").write_text(lines.format("ConnectionRefusedError('nobody at 5432')"))
    (modules / "part_with_a_fault.py").write_text(lines.format("KeyError('ours')"))
    with pytest.raises(SystemExit) as ended:
        command.run(["away"], {"away": Part("part_without_servers", "")})
    said = capsys.readouterr().err
    assert (ended.value.code, said) == (1, f"bonus away: ConnectionRefusedError: nobody at 5432\n{command.WHERE}\n")
    with pytest.raises(KeyError, match="ours"):
        command.run(["faulty"], {"faulty": Part("part_with_a_fault", "")})


def test_an_unknown_part_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt command ends with 2, as every command line does."""
    with pytest.raises(SystemExit) as ended:
        command.run(["leger"], {})
    assert (ended.value.code, "leger" in capsys.readouterr().err) == (2, True)


def test_a_token_can_be_issued_from_the_command_line(tmp_path: Path) -> None:
    """Key in a file, token on standard output and nothing else, so that a shell can use it."""
    private, public = tokens.new_key_pair()
    key = tmp_path / "key.pem"
    key.write_bytes(private)
    line = ["--key", str(key), "--tenant", "t", "--scopes"]
    issued = CliRunner().invoke(token_command.app, [*line, "ledger:read"])
    verified = tokens.Verifier(public).verify(issued.stdout.strip(), datetime.now(UTC))
    assert (verified.tenant, verified.scopes, verified.subject) == ("t", frozenset({"ledger:read"}), "operator")
    misspelt = CliRunner().invoke(token_command.app, [*line, "ledger:reed"])
    assert (misspelt.exit_code, misspelt.stdout) == (2, "")
