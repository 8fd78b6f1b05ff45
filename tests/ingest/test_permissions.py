"""A secret, or what people wrote, that others on the machine may read is named with the command that closes it."""

from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ingest.permissions import look


@pytest.fixture
def open_folder() -> Generator[Path]:
    """One that everybody may pass, which the tests' own are not."""
    with TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        yield path


def file(folder: Path, mode: int) -> Path:
    path = folder / "care.password"
    path.write_text("x", encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("mode", "says"),
    [(0o644, "read"), (0o602, "change"), (0o620, "A whole group can change")],
)
def test_a_secret_that_others_can_read_or_change_is_named_with_its_cure(open_folder: Path, mode: int, says: str):
    (found,) = look({"channels.email.care.password_file": file(open_folder, mode)}, {})
    assert (found.about, found.well) == ("channels.email.care.password_file", False)
    assert says in found.sentence
    assert "`chmod " in found.sentence
    assert "have a new secret made" in found.sentence


@pytest.mark.parametrize("mode", [0o600, 0o440, 0o400])
def test_a_secret_that_its_user_and_group_alone_read_is_well(open_folder: Path, mode: int):
    (found,) = look({"key_file": file(open_folder, mode)}, {})
    assert found.well


def test_a_private_key_that_is_not_there_is_for_whoever_looks_at_certificates_to_tell(tmp_path: Path):
    (found,) = look({"web.certificate_key_file": tmp_path / "site.key"}, {})
    assert found.well


def test_a_folder_that_nobody_else_may_pass_closes_what_is_in_it(open_folder: Path):
    path = file(open_folder, 0o644)
    open_folder.chmod(0o700)
    (found,) = look({"key_file": path}, {"register": path})
    assert found.well


def test_what_people_wrote_is_named_only_where_others_can_read_it(open_folder: Path):
    path = file(open_folder, 0o644)
    (found,) = look({}, {"register": path, "log": open_folder / "not there yet"})
    assert (found.about, found.well) == ("permissions of register", False)
    path.chmod(0o640)
    assert list(look({}, {"register": path})) == []
