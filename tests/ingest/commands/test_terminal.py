"""What every command shares: how it ends, and that nothing it prints can steer a terminal."""

from pathlib import Path

import pytest
import typer

from ingest.commands.terminal import fail, open_log, plain, run_async, say, table
from ingest.errors import IngestError, Misconfigured, Refused, Unavailable
from ingest.settings import load
from tests.ingest.commands.conftest import Ingest


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("log-unavailable", "It is away."), 1),
        (Refused("a", "It is away."), 1),
        (Misconfigured("a", "It is away."), 2),
    ],
)
def test_an_error_ends_the_command_with_its_sentence(error: IngestError, status: int, capsys: pytest.CaptureFixture[str]):
    async def work() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        run_async(work())
    assert ended.value.exit_code == status
    assert capsys.readouterr() == ("", "It is away.\n")


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]):
    async def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        run_async(work())
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_what_work_gives_is_given():
    async def work() -> int:
        return 7

    assert run_async(work()) == 7


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("Siân 📞\nnext line", "Siân 📞\nnext line"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x9b31mred\x7f\x00", "31mred"),
        ("a\r\nb\rc", "a\nbc"),
        ("abc\u202egnp.exe\u2066", "abcgnp.exe"),
        ("half \ud800", "half "),
        ("[bold]not bold[/bold] [/] :smile: [link=file:///]", "[bold]not bold[/bold] [/] :smile: [link=file:///]"),
    ],
)
def test_a_strangers_words_are_printed_as_words(given: str, printed: str, capsys: pytest.CaptureFixture[str]):
    assert plain(given) == printed
    say(given)
    with pytest.raises(typer.Exit):
        fail(given)
    assert capsys.readouterr() == (f"{printed}\n", f"{printed}\n")
    table(f"A title, {given}", ["it"], [[given], [[given]]], json=False)
    out = capsys.readouterr().out
    assert out.count(printed.split(maxsplit=1)[0]) >= 3
    assert not set(out) & set("\x1b\x9b\x7f\x00\r\u202e\u2066")


def test_a_long_sentence_is_one_line_wherever_it_goes(capsys: pytest.CaptureFixture[str]):
    say("word " * 200)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_settings_file_that_is_wrong_ends_any_command_with_2(ingest: Ingest, tmp_path: Path):
    (tmp_path / "ingest.toml").write_text("[lgo]\n", encoding="utf-8")
    for verb in (["topic", "lag"], ["database", "upgrade"], ["check"], ["run"]):
        ran = ingest(*verb, "--config", tmp_path / "ingest.toml")
        assert (ran.status, ran.out) == (2, "")
        assert "There is no setting lgo." in ran.err


def test_the_service_does_not_start_without_a_duty_mailbox(ingest: Ingest, config: Path):
    config.write_text(config.read_text(encoding="utf-8").replace('duty = "duty@example.org"', ""), encoding="utf-8")
    ran = ingest("run", "--config", config)
    assert (ran.status, ran.out) == (2, "")
    assert "teams.duty is missing." in ran.err


def test_the_tables_are_made_and_made_again_without_harm(ingest: Ingest, config: Path):
    for _ in range(2):
        assert ingest("database", "upgrade", "--config", config).status == 0
    assert (config.parent / "register.db").stat().st_size


@pytest.mark.parametrize("url", ["kafka://localhost", "postgresql://localhost/log", "nonsense"])
async def test_a_kind_of_log_that_there_is_not_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch, url: str):
    monkeypatch.setenv("INGEST_LOG__URL", url)
    with pytest.raises(Misconfigured) as caught:
        await open_log(load(config), exclusive=False)
    assert caught.value.reason == "log.url"
