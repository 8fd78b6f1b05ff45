"""Prometheus, of Debian: promtool for its rules, and a real server on the loopback that scrapes what a test serves."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.servers.loopback import free_ports

_SCRAPE = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: contact-ingest
    static_configs: [{{targets: [{targets}]}}]
"""


def _binary(name: str) -> str:
    """Where it is; skipped where there is none, failed where CI is set."""
    if (found := shutil.which(name)) is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{name} is missing: install it with: apt-get install prometheus")
    return found


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What it says."""
    return subprocess.run([_binary("promtool"), *arguments], capture_output=True, text=True, timeout=120, check=False)


class Prometheus:
    """One private server, which looks once a second."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What it finds, as its API has it. Raises OSError where it refuses the expression."""
        return self._ask(f"query?{urlencode({'query': expression})}")["result"]

    def firing(self) -> dict[str, str]:
        """The alerts that fire, by name, and what each says."""
        alerts = self._ask("alerts")["alerts"]
        return {each["labels"]["alertname"]: each["annotations"]["summary"] for each in alerts if each["state"] == "firing"}

    def rules_in_trouble(self) -> list[str]:
        """The rules that it could not work out, and why."""
        groups = self._ask("rules")["groups"]
        return [
            f"{rule['name']}: {rule['lastError']}" for group in groups for rule in group["rules"] if rule["health"] == "err"
        ]

    def _ask(self, what: str) -> dict[str, Any]:
        with urlopen(f"{self.url}/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]


def running_prometheus(targets: Sequence[str], rules: Path) -> Generator[Prometheus]:
    """The body of a fixture: a server for as long as it is wanted, that has scraped each target once."""
    binary = _binary("prometheus")
    folder = Path(tempfile.mkdtemp(prefix="prometheus-"))
    (port,) = free_ports(1)
    (folder / "prometheus.yml").write_text(_SCRAPE.format(rules=rules, targets=", ".join(f'"{each}"' for each in targets)))
    with (folder / "prometheus.log").open("wb") as lines:
        process = subprocess.Popen(
            [binary, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=lines, stderr=lines,
        )  # fmt: skip
    server, deadline = Prometheus(port), time.monotonic() + 30
    try:
        while True:
            with suppress(OSError):
                if len(server.query("up == 1")) == len(targets):
                    break
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(
                    f"Prometheus did not start, or did not reach {targets}: {(folder / 'prometheus.log').read_text()}"
                )
            time.sleep(0.2)
        yield server
    finally:
        process.kill()
        process.wait(5)
        shutil.rmtree(folder, ignore_errors=True)
