"""``ingest database``, and what every other command says where the tables are another release's."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest.commands.run import ROLES
from ingest.database import downgrade
from tests.ingest.commands.conftest import MAILBOX
from tests.ingest.test_releases import REGISTER, STATE, made_by_a_later_release, revisions

COMMANDS = [
    *(("run", role) for role in ROLES if role != "router"),
    ("run",),
    ("ledger",),
    ("audit", "verify"),
    ("review", "claim", "T-1", "--by", "Sam"),
    ("feedback", "list"),
    ("handoffs", "list"),
    ("social", "list"),
    ("dead-letters", "replay", "1", "--by", "Sam"),
    ("outgoing", "hold", "--by", "Sam"),
    ("register", "index"),
    ("register", "unlink", "C-1", "--by", "Sam", "--because", "another"),
    ("originals", "verify"),
    ("replay", "--dry-run"),
]


@pytest.fixture(scope="module")
def earlier(empty_register: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register of the release before."""
    path = Path(shutil.copy(empty_register, tmp_path_factory.mktemp("earlier") / "register.db"))
    downgrade(f"sqlite:///{path}", REGISTER, apply=True)
    return path


@pytest.fixture
def register(config: Path, empty_register: Path) -> Path:
    """A register of this release's, named by the settings."""
    with config.open("a", encoding="utf-8") as written:
        written.write(MAILBOX)
    return Path(shutil.copy(empty_register, config.with_name("register.db")))


def change(register: Path, *statements: str) -> None:
    with closing(sqlite3.connect(register, isolation_level=None)) as connection:
        for each in statements:
            connection.execute(each)


def test_it_shows_where_the_tables_stand(register, ingest, config):
    done = ingest("database", "show", "--json", "--config", config)
    assert done.status == 0
    assert done.rows == [
        {"tables": name, "stand_at": head, "this_release_has": head, "it_runs_on_them": True}
        for name, head in (("register", revisions(REGISTER)[0]), ("state", revisions(STATE)[0]))
    ]


def test_a_step_back_is_shown_first_and_taken_where_it_is_meant(register, ingest, config):
    change(register, "INSERT INTO unwanted VALUES ('a digest', '2026-03-02T09:30:00.000000Z')")
    newest, earlier, earliest, *_ = revisions(STATE)
    for step, lost in (
        (f"state goes from {newest} to {earlier}, and nothing is lost by it.", []),
        (f"state goes from {earlier} to {earliest}.", ["erased 0", "unwanted 1"]),
    ):
        shown = ingest("database", "downgrade", "state", "--config", config)
        taken = ingest("database", "downgrade", "state", "--apply", "--config", config)
        assert (shown.status, taken.status, taken.out) == (0, 0, shown.out)
        assert "Nothing was changed" in shown.err
        assert shown.out.startswith(step)
        cells = [" ".join(re.findall(r"\w+", line)) for line in shown.out.splitlines()]
        assert [each for each in cells if re.search(r" \d+$", each)] == lost
    back = ingest("database", "show", "--config", config)
    assert (back.status, "ingest database upgrade" in back.err) == (1, True)
    assert ingest("database", "upgrade", "--config", config).status == 0
    assert ingest("database", "show", "--config", config).status == 0


def test_no_step_back_is_taken_under_a_service_that_runs(register, ingest, config):
    from fcntl import LOCK_EX, flock

    with config.with_name("log.db.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        done = ingest("database", "downgrade", "state", "--apply", "--config", config)
    assert (done.status, done.err.strip()) == (1, "The service is running. Stop it first.")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_earlier_release_s_tables_are_used_by_nothing_and_it_is_said_what_to_run(command, register, earlier, ingest, config):
    shutil.copy(earlier, register)
    before = register.read_bytes()
    done = ingest(*command, "--config", config)
    assert done.status == 2, done.out + done.err
    assert f"register at {revisions(REGISTER)[1]}, and this one has {revisions(REGISTER)[0]}" in done.err
    assert done.err.strip().endswith("ingest database upgrade")
    assert register.read_bytes() == before


def test_a_later_release_s_tables_that_this_one_cannot_use_are_used_by_nothing(register, ingest, config):
    change(register, *made_by_a_later_release("9998_between"))
    for command in (("run", "router"), ("outgoing", "hold", "--by", "Sam"), ("database", "upgrade")):
        done = ingest(*command, "--config", config)
        assert (done.status, "Start that release" in done.err) == (2, True)
    assert ingest("database", "show", "--config", config).status == 1
    assert "Start that release" in ingest("check", "--config", config).out


def test_a_later_release_s_tables_that_only_have_more_are_used(register, ingest, config):
    change(register, *made_by_a_later_release(revisions(REGISTER)[0]))
    assert ingest("database", "show", "--config", config).status == 0
    assert ingest("ledger", "--config", config).status == 0


def test_no_command_opens_the_register_by_a_way_of_its_own():
    folder = Path(__file__).parents[3] / "ingest" / "commands"
    opens = {path.name for path in folder.glob("*.py") if "open_database(" in path.read_text()}
    by_itself = {path.name for path in folder.glob("*.py") if " Database(" in path.read_text()}
    assert len(opens) > 10
    assert by_itself == {"terminal.py", "trial.py"}, "a trial makes a register of its own, which is thrown away"
