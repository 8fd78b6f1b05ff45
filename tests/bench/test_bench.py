"""The bench is honest: whoever the router is held against did the same writing, and every ratio is told."""

import json
from pathlib import Path

import pytest

from tests.bench import register
from tests.bench.__main__ import compare

ONE_EACH = ("state.receipts", "contacts", "dispositions")


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.xdist_group("kafka")
@pytest.mark.timeout(300)
def test_whoever_the_router_is_held_against_writes_the_same_rows(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    compare(60, 1, out, service=False, individuals=0)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert all(found[each] > 0 for each in ("router_vs_plain", "router_vs_faststream", "router_vs_parts", "embedded_vs_sqlite"))
    assert found["rows"].keys() == {"plain", "faststream", "faststream_writing"}
    for side, each in found["rows"].items():
        # What a later contact holds back is noted with an earlier one, so that who decides for itself may be short of that.
        decides = side == "faststream"
        assert all(each["wrote"][name] == count for name, count in each["router"].items() if not decides or name in ONE_EACH)
        assert each["wrote"]["contacts"] >= 6
        assert each["wrote"]["audit"] >= 6


@pytest.mark.timeout(300)
def test_whoever_wrote_is_found_in_the_register_of_the_bench(tmp_path: Path) -> None:
    out = tmp_path / "register.json"
    (found,) = register.main(["400", "--engine", "sqlite", "--contacts", "60", "--folder", str(tmp_path), "--out", str(out)])
    assert found.people == 400
    assert found.recall > 0.9
    assert found.candidates <= 25
    assert found.splink_batch_s
    assert json.loads(out.read_text(encoding="utf-8"))[0]["recall"] == found.recall
