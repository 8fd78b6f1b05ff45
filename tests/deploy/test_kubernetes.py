"""The manifests are built by kustomize as they stand, are what Kubernetes takes, and hold to the code: no cluster runs where this is tested."""

import inspect
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner

from ingest.commands import run, topic
from ingest.commands.entry import app
from ingest.commands.run import ROLES, house_of
from ingest.settings import SECRET_KEYS, Settings, load
from ingest.web import private_routes

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
TOML = tomllib.loads((FOLDER / "ingest.toml").read_text(encoding="utf-8"))
TAKE_IN = {"email", "sms", "web"}
KUBERNETES = "1.34"

pytestmark = pytest.mark.needs("kubectl")


def built() -> list[dict[str, Any]]:
    """Every object, as it would be applied; skipped where there is no kubectl, failed where CI is set."""
    if (binary := shutil.which("kubectl")) is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "kubectl is missing: install it with: apt-get install kubernetes-client"
        )
    ran = subprocess.run([binary, "kustomize", FOLDER], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return list(yaml.safe_load_all(ran.stdout))


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return built()


@pytest.fixture(scope="module")
def roles(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What runs a role, by its name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] in ("Deployment", "StatefulSet")}


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [pod_of(each) for each in objects if each["kind"] in ("Deployment", "StatefulSet", "Job")]


def containers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for pod in pods(objects) for each in (*pod.get("initContainers", ()), *pod["containers"])]


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings, where each secret that they name is a file."""
    for each in [each for each in os.environ if each.startswith("INGEST_")]:
        monkeypatch.delenv(each)
    text = (FOLDER / "ingest.toml").read_text(encoding="utf-8").replace("/run/secrets/ingest/", f"{tmp_path}/")
    for name in secrets_named():
        (tmp_path / name).write_text(f"0123456789abcdef {name} 0123456789abcdef\n")
    (tmp_path / "ingest.toml").write_text(text)
    return load(tmp_path / "ingest.toml")


def secrets_named() -> set[str]:
    """The files of the secret that the settings read."""
    every = [TOML, *(each for each in TOML.values() if isinstance(each, dict)), TOML["channels"]["email"]["care"]]
    found = {value for section in every for key, value in section.items() if key.endswith("_file")}
    assert {Path(each).parent for each in found} == {Path("/run/secrets/ingest")}
    return {Path(each).name for each in found}


def test_kubernetes_takes_every_object_and_knows_each_field(objects: list[dict[str, Any]]):
    for each in objects:
        if not each["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_a_field_that_kubernetes_does_not_know_would_be_noticed(objects: list[dict[str, Any]]):
    broken = next(each for each in built() if each["kind"] == "Deployment")
    pod_of(broken)["containers"][0]["readOnlyRootFilesystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_each_role_is_run_once_and_by_its_name(roles: dict[str, dict[str, Any]]):
    assert set(roles) == set(ROLES)
    for name, each in roles.items():
        (container,) = pod_of(each)["containers"]
        assert container["args"] == ["run", name]


def test_a_mailbox_is_read_by_exactly_one_and_what_takes_in_keeps_its_disk(roles: dict[str, dict[str, Any]], chosen: Settings):
    assert {name for name, each in roles.items() if each["kind"] == "StatefulSet"} == TAKE_IN
    for name in ("email", "sms"):
        assert roles[name]["spec"]["replicas"] == 1
    for name in TAKE_IN:
        (container,) = pod_of(roles[name])["containers"]
        mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        assert mounted["spool"] == str(chosen.log.spool)
        assert [each["metadata"]["name"] for each in roles[name]["spec"]["volumeClaimTemplates"]] == ["spool"]


def test_nothing_runs_as_root_or_writes_but_where_it_keeps_something(objects: list[dict[str, Any]]):
    image = (FOLDER.parent / "Dockerfile").read_text(encoding="utf-8")
    for pod in pods(objects):
        who = pod["securityContext"]
        assert who["runAsNonRoot"]
        assert f"USER {who['runAsUser']}:{who['runAsGroup']}" in image
        assert pod["automountServiceAccountToken"] is False
    for each in containers(objects):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_each_is_asked_for_its_health_where_it_answers(roles: dict[str, dict[str, Any]], chosen: Settings):
    async def ready() -> dict[str, str | None]:
        return {}

    answered = {path for _, path, _ in private_routes(ready, dict)}
    port = int(chosen.web.private.rpartition(":")[2])
    for name, each in roles.items():
        (container,) = pod_of(each)["containers"]
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert ports["private"] == port
        assert ("public" in ports) == (name == "web")
        asked = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("liveness", "readiness", "startup")}
        assert {each["path"] for each in asked.values()} <= answered
        assert asked["liveness"]["path"] == "/livez", "what is leaned on is no reason to end a role"
        assert {each["port"] for each in asked.values()} == {"private"}
        assert pod_of(each)["terminationGracePeriodSeconds"] > run._DRAIN_SECONDS


def test_the_settings_are_whole_and_their_secrets_are_in_the_one_secret(objects: list[dict[str, Any]], chosen: Settings):
    assert house_of(chosen).notices_from == "care"
    assert chosen.outgoing.mode == "review", "until somebody has seen what it would send"
    written = {key for section in [TOML, *TOML.values()] if isinstance(section, dict) for key in section}
    assert not written & SECRET_KEYS
    for pod in pods(objects):
        named = {each["name"]: each for each in pod["volumes"]}
        assert named["secrets"]["secret"]["secretName"] == "ingest-secrets"
        assert named["settings"]["configMap"]["name"].startswith("ingest-"), "changed settings make other pods"


def test_routers_are_as_many_as_what_waits_on_the_topic_wants(objects: list[dict[str, Any]], chosen: Settings):
    (scaled,) = (each["spec"] for each in objects if each["kind"] == "ScaledObject")
    assert scaled["scaleTargetRef"] == {"name": "router"}
    assert scaled["maxReplicaCount"] == inspect.signature(topic.create).parameters["partitions"].default
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["topic"] == "contacts"
    assert trigger["metadata"]["consumerGroup"] == "contacts.router"
    assert f"kafka://{trigger['metadata']['bootstrapServers']}" == chosen.log.url
    assert 0 < scaled["minReplicaCount"] < scaled["maxReplicaCount"]


def test_one_of_several_is_taken_away_at_a_time(objects: list[dict[str, Any]], roles: dict[str, dict[str, Any]]):
    budgets = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "PodDisruptionBudget"}
    assert set(budgets) == {"web", "router", "dispatcher"}
    for name, each in budgets.items():
        assert each["maxUnavailable"] == 1
        assert each["selector"]["matchLabels"] == roles[name]["spec"]["selector"]["matchLabels"]


def test_topics_and_tables_are_made_by_commands_that_there_are(objects: list[dict[str, Any]]):
    (job,) = (each for each in objects if each["kind"] == "Job")
    for each in (*pod_of(job)["initContainers"], *pod_of(job)["containers"]):
        assert CliRunner().invoke(app, [*each["args"], "--help"]).exit_code == 0
