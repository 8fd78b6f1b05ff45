"""Whoever watches is told how full the disks are that something is kept on, and so is whoever asks by ``ingest check``."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY

from ingest import disks
from ingest.settings import Settings


class Usage(NamedTuple):
    """What shutil.disk_usage says."""

    total: int
    used: int
    free: int


def settings(**sections: object) -> Settings:
    teams = {
        "intake": "a@example.org",
        "investigators": "b@example.org",
        "customer_care": "c@example.org",
        "duty": "d@example.org",
    }
    return Settings.model_validate({"key": "a key that nobody can guess, of 32 bytes", "teams": teams, **sections})


@pytest.mark.parametrize(
    ("sections", "kept"),
    [
        ({}, {"log", "register", "originals"}),
        (
            {
                "log": {"url": "kafka://a:9092"},
                "register": {"url": "postgresql://ingest@a/register"},
                "originals": {"url": "s3://originals"},
            },
            {"spool"},
        ),
    ],
)
def test_what_another_machine_keeps_is_not_ours_to_watch(sections: dict[str, object], kept: set[str]):
    assert set(disks.places(settings(**sections))) == kept


def test_each_look_at_the_metrics_sees_the_disk_as_it_is_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    disks.watch({"log": tmp_path / "not" / "yet" / "log.db"})
    for free in (70, 20):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: Usage(100, 100 - free, free))
        assert REGISTRY.get_sample_value("disk_size_bytes", {"kept": "log"}) == 100
        assert REGISTRY.get_sample_value("disk_free_bytes", {"kept": "log"}) == free


@pytest.mark.parametrize(("free", "well"), [(10, True), (9, False)])
def test_a_disk_with_less_than_a_tenth_left_is_named(free: int, well: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * 10**9, 0, free * 10**9))
    (found,) = disks.look({"originals": tmp_path})
    assert (found.about, found.well) == ("disk of originals", well)
    assert f"{free}.0 GB of 100.0 GB" in found.sentence


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    (found,) = disks.look({"log": tmp_path / "log.db"})
    assert not found.well
    assert "give it to the user" in found.sentence
