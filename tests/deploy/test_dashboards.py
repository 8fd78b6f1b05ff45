"""Every panel of the dashboards asks a real Prometheus, which looks at the real service, for what is there."""

import json
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.house import Installation
from tests.servers.prometheus import Prometheus, running_prometheus

DEPLOY = Path(__file__).parents[2] / "deploy"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((DEPLOY / "grafana").glob("*.json"))
}
PANELS = [pytest.param(panel, id=f"{name}: {panel['title']}") for name, board in BOARDS.items() for panel in board["panels"]]

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.xdist_group("dashboards"), pytest.mark.journey]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Generator[Prometheus]:
    """One that has looked at a service which has measured how things stand."""
    home = Installation.without_mail(tmp_path_factory.mktemp("watched") / "home", ["email", "router", "dispatcher", "web"], "")
    try:
        home.start()
        home.ready()
        for server in running_prometheus(
            [f"127.0.0.1:{home.processes['service'].private}"], DEPLOY / "prometheus" / "alerts.yaml"
        ):
            deadline = time.monotonic() + 60
            while not server.query("duties_last_success_timestamp_seconds > 0"):
                assert time.monotonic() < deadline, home.telemetry()
                time.sleep(0.2)
            yield server
    finally:
        home.stop()


@pytest.mark.parametrize("panel", PANELS)
def test_the_panel_shows_what_there_is(panel: dict[str, Any], prometheus: Prometheus):
    for target in panel["targets"]:
        found = prometheus.query(target["expr"])
        if panel["type"] != "timeseries":
            assert found, "what is shown as a number is there from the start, be it 0"


def test_every_rule_is_one_that_the_server_works_out(prometheus: Prometheus):
    assert prometheus.rules_in_trouble() == []


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_panels_lie_upon_each_other_and_each_says_what_it_shows(name: str):
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells
        assert max(x for x, _ in cells) < 24
        assert panel["description"].endswith(".")
        taken |= cells
    assert len({panel["id"] for panel in BOARDS[name]["panels"]}) == len(BOARDS[name]["panels"])
