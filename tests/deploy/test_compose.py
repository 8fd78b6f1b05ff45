"""docker-compose.yml, the Dockerfile and their settings hold together, and hold to the code: no engine runs where this is tested."""

import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.specifiers import SpecifierSet
from typer.exceptions import TyperException

from channels.table import accounts
from ingest.commands import run
from ingest.commands.run import ROLES, house_of
from ingest.errors import Misconfigured
from ingest.settings import Settings, WebSettings, load
from ingest.web import private_routes
from tests.deploy.installation import NAMES, ROOT, Deployed, parsed
from tests.servers import postgres, s3

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMPOSE, IMAGE, CHOSEN, IGNORED = NAMES
HEALTH = re.compile(r"http://127\.0\.0\.1:(\d+)(/\w+)")
SECONDS = {"s": 1, "m": 60}

Check = Callable[[Deployed, Path], None]
MISTAKES: list[tuple[Check, str, str, str]] = []


def notices(*mistakes: tuple[str, str, str]) -> Callable[[Check], Check]:
    """Beside each check what it would notice: in which file what is put in place of what."""

    def beside(check: Check) -> Check:
        MISTAKES.extend((check, *each) for each in mistakes)
        return check

    return beside


@pytest.fixture
def deployed() -> Deployed:
    """As it stands in the repository."""
    return Deployed.read()


def settings_of(deployed: Deployed, name: str, folder: Path) -> Settings:
    """What a service's settings come to, where it has the secrets it is given and no others."""
    service = deployed.ours[name]
    secrets = folder / name
    secrets.mkdir(exist_ok=True)
    for secret in service["secrets"]:
        (secrets / secret).write_text(f"0123456789abcdef {secret} 0123456789abcdef\n")
    (config,) = service["configs"]
    environment = dict(service["environment"])
    assert environment.pop("INGEST_CONFIG") == config["target"]
    file = deployed.compose["configs"][config["source"]]["file"]
    path = folder / f"{name}.toml"
    path.write_text(deployed.texts[file].replace("/run/secrets/", f"{secrets}/"))
    with pytest.MonkeyPatch.context() as patched:
        for each in [each for each in os.environ if each.startswith("INGEST_")]:
            patched.delenv(each)
        for variable, value in environment.items():
            patched.setenv(variable, value)
        return load(path)


def seconds(span: str) -> int:
    """As Compose writes a length of time."""
    return int(span[:-1]) * SECONDS[span[-1]]


# The roles and the commands.


@notices(
    (COMPOSE, "[run, router]", "[run, roter]"),
    (COMPOSE, "[run, router]", "[run, router, email]"),
)
def test_each_role_of_the_code_is_one_service_and_none_is_unknown(deployed: Deployed, tmp_path: Path):
    named = [role for name in deployed.roles for role in deployed.verbs[name][1:]]
    assert sorted(named) == sorted(ROLES)


@notices(
    (COMPOSE, "[database, upgrade]", "[database, upgrad]"),
    (COMPOSE, "--min-isr", "--isr"),
    (IMAGE, 'CMD ["run"]', 'CMD ["start"]'),
)
def test_every_command_is_one_that_our_command_line_takes(deployed: Deployed, tmp_path: Path):
    for words in (*deployed.verbs.values(), json.loads(deployed.instructed("CMD")[-1])):
        assert parsed(words) is not None


@notices(
    (COMPOSE, '--replication, "1"', '--replication, "3"'),
    (COMPOSE, "[database, upgrade]", "[check]"),
)
def test_what_is_set_up_before_is_the_tables_the_topics_and_the_bucket(deployed: Deployed, tmp_path: Path):
    once = [list(words[:2]) for name, words in deployed.verbs.items() if name not in deployed.roles]
    assert sorted(once) == [["database", "upgrade"], ["topic", "create"]]
    topics = parsed(next(words for words in deployed.verbs.values() if words[0] == "topic"))
    brokers = [each for each in deployed.services.values() if each["image"].startswith("apache/kafka:")]
    assert topics["min_isr"] <= topics["replication"] <= len(brokers)


@notices(
    (COMPOSE, "    tables:\n      condition: service_completed_successfully\n", ""),
    (COMPOSE, "service_completed_successfully", "service_started"),
)
def test_a_role_starts_once_everything_it_leans_on_is_well_and_set_up(deployed: Deployed, tmp_path: Path):
    others = set(deployed.services) - set(deployed.roles)
    for name in deployed.services:
        for other, how in deployed.services[name].get("depends_on", {}).items():
            once = deployed.services[other].get("restart") == "no"
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy")
            assert once or "test" in deployed.services[other]["healthcheck"]
    for name in deployed.roles:
        assert waited_for(deployed, name) == others


def waited_for(deployed: Deployed, name: str) -> set[str]:
    """All that is up before a service starts."""
    direct = set(deployed.services[name].get("depends_on", {}))
    return direct.union(*(waited_for(deployed, each) for each in direct))


@notices(
    (COMPOSE, "stop_grace_period: 40s", "stop_grace_period: 10s"),
    (COMPOSE, "replicas: 2", "replicas: 1"),
)
def test_a_role_has_longer_to_stop_than_it_takes_and_comes_back_by_itself(deployed: Deployed, tmp_path: Path):
    for service in deployed.roles.values():
        assert seconds(service["stop_grace_period"]) >= run._DRAIN_SECONDS + 5
        assert service["restart"] == "unless-stopped"
    router = deployed.services["router"]
    assert router["deploy"]["replicas"] > 1
    assert not {"container_name", "ports", "hostname"} & set(router)


# The settings.


@notices(
    (COMPOSE, "secrets: [key, postgres_password, ", "secrets: [key, "),
    (COMPOSE, "INGEST_CONFIG: /etc/contact-ingest/ingest.toml", "INGEST_CONFIG: /etc/ingest.toml"),
    (COMPOSE, "  configs:\n", "    INGEST_LOG__ADDRESS: kafka:9092\n  configs:\n"),
    (COMPOSE, "  configs:\n", "    INGEST_BROKERS: kafka:9092\n  configs:\n"),
    (CHOSEN, "region =", "regoin ="),
    (CHOSEN, "port = 993", "prot = 993"),
)
def test_every_services_settings_load_with_the_secrets_it_is_given(deployed: Deployed, tmp_path: Path):
    for name in deployed.verbs:
        chosen = settings_of(deployed, name, tmp_path)
        assert set(accounts(chosen)) == {("email", "care"), ("web_form", "care")}
        assert house_of(chosen).notices_from == "care"


@notices(
    (CHOSEN, 'access_key_file = "/run/secrets/objects_access_key"', ""),
)
def test_no_secret_is_given_that_the_settings_do_not_want(deployed: Deployed, tmp_path: Path):
    wanted = set(re.findall(r'"/run/secrets/(\w+)"', deployed.texts["deploy/compose.toml"]))
    for name in deployed.verbs:
        assert set(deployed.ours[name]["secrets"]) == wanted


@notices(
    (CHOSEN, "kafka:9092", "broker:9092"),
    (CHOSEN, "kafka:9092", "kafka:9093"),
    (COMPOSE, "PLAINTEXT://kafka:9092", "PLAINTEXT://localhost:9092"),
    (COMPOSE, "1@kafka:9093", "2@kafka:9093"),
    (COMPOSE, "/dev/tcp/127.0.0.1/9092", "/dev/tcp/127.0.0.1/9093"),
)
def test_the_settings_reach_the_broker_by_the_name_and_port_it_listens_on(deployed: Deployed, tmp_path: Path):
    log = settings_of(deployed, "router", tmp_path).log
    at = urlsplit(log.url)
    broker = deployed.services[at.hostname or ""]["environment"]
    listens = {name: urlsplit(f"//{where}").port for name, where in listeners(broker["KAFKA_LISTENERS"]).items()}
    assert listeners(broker["KAFKA_ADVERTISED_LISTENERS"]) == {"PLAINTEXT": f"{at.hostname}:{at.port}"}
    assert listens["PLAINTEXT"] == at.port
    assert broker["KAFKA_CONTROLLER_QUORUM_VOTERS"] == f"{broker['KAFKA_NODE_ID']}@{at.hostname}:{listens['CONTROLLER']}"
    assert log.security == "plain"
    assert f"/dev/tcp/127.0.0.1/{at.port}" in deployed.services[at.hostname or ""]["healthcheck"]["test"][-1]


def listeners(text: str) -> dict[str, str]:
    """``NAME://host:port,NAME://host:port`` by name."""
    return dict(each.split("://") for each in text.split(","))


@notices(
    (COMPOSE, '      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false"\n', ""),
    (COMPOSE, "KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: 1", "KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: 1000"),
)
def test_the_broker_makes_no_topic_by_itself_and_loses_nothing_with_the_power(deployed: Deployed, tmp_path: Path):
    broker = deployed.services["kafka"]["environment"]
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert broker["KAFKA_LOG_FLUSH_INTERVAL_MESSAGES"] == 1


@notices(
    (CHOSEN, "@postgres:5432/register", "@postgres:5432/ingest"),
    (CHOSEN, "postgres:5432", "postgres:5433"),
    (COMPOSE, "POSTGRES_USER: ingest", "POSTGRES_USER: postgres"),
    (COMPOSE, "-h, 127.0.0.1, ", ""),
)
def test_the_settings_reach_the_register_that_the_database_makes(deployed: Deployed, tmp_path: Path):
    at = urlsplit(settings_of(deployed, "router", tmp_path).register.url)
    server = deployed.services[at.hostname or ""]
    made = server["environment"]
    assert (at.username, at.path) == (made["POSTGRES_USER"], f"/{made['POSTGRES_DB']}")
    assert at.port == 5432  # the image's
    asked = dict(zip(server["healthcheck"]["test"][2::2], server["healthcheck"]["test"][3::2], strict=True))
    assert asked == {"-h": "127.0.0.1", "-p": str(at.port), "-U": at.username, "-d": at.path[1:]}
    secret = tomllib.loads(deployed.texts["deploy/compose.toml"])["register"]["password_file"]
    assert made["POSTGRES_PASSWORD_FILE"] == secret


@notices(
    (CHOSEN, "objects:7070", "objects:7071"),
    (CHOSEN, "s3://originals", "s3://letters"),
    (CHOSEN, "eu-west-2", "eu-west-1"),
    (COMPOSE, 'user: "10001:10001"', 'user: "1000:1000"'),
    (COMPOSE, "127.0.0.1:7070/health", "127.0.0.1:7070/healthz"),
    (COMPOSE, "secrets: [objects_access_key, objects_secret_key]", "secrets: [objects_access_key]"),
)
def test_the_settings_reach_the_bucket_that_the_object_store_has(deployed: Deployed, tmp_path: Path):
    originals = settings_of(deployed, "router", tmp_path).originals
    at, bucket = urlsplit(originals.endpoint or ""), urlsplit(originals.url).hostname
    store = deployed.services[at.hostname or ""]
    words = shlex.split(store["command"][0])
    assert words[words.index("--port") + 1] == f":{at.port}"
    assert words[words.index("--region") + 1] == originals.region
    assert HEALTH.findall(store["healthcheck"]["test"][-1]) == [(str(at.port), words[words.index("--health") + 1])]
    assert {f"/run/secrets/{each}" for each in store["secrets"]} == set(re.findall(r"/run/secrets/\w+", store["command"][0]))
    # A folder of its volume, which is made by the user that it runs as.
    (volume,) = store["volumes"]
    maker = deployed.services["bucket"]
    assert volume in maker["volumes"]
    assert volume.partition(":")[2] == words[-1]
    assert maker["entrypoint"] == ["mkdir", "-p", f"{words[-1]}/{bucket}"]
    assert deployed.instructed("USER")[-1] == store["user"]
    assert deployed.instructed("WORKDIR")[-1] == words[-1]


# Health.


@notices(
    (COMPOSE, "127.0.0.1:9464/readyz", "127.0.0.1:9465/readyz"),
    (COMPOSE, "9464/readyz", "9464/healthz"),
    (COMPOSE, "readyz', timeout=8)", "readyz', timeout=8"),
    (CHOSEN, "0.0.0.0:9464", "0.0.0.0:9465"),
    (IMAGE, "9464/livez", "8080/livez"),
)
def test_a_role_is_asked_for_its_health_where_it_answers(deployed: Deployed, tmp_path: Path):
    async def ready() -> dict[str, str | None]:
        return {}

    answered = {path for method, path, _ in private_routes(ready) if method == "GET"}
    for name, service in deployed.roles.items():
        host, _, listens = settings_of(deployed, name, tmp_path).web.private.rpartition(":")
        ((port, path),) = HEALTH.findall(" ".join(service["healthcheck"]["test"]))
        assert (port, path) == (listens, "/readyz")
        assert host == "0.0.0.0"
        assert path in answered
        compile(service["healthcheck"]["test"][-1], "healthcheck", "exec")
    ((port, path),) = HEALTH.findall(deployed.instructed("HEALTHCHECK")[-1])
    assert WebSettings().private == f"127.0.0.1:{port}"
    assert path == "/livez"


@notices(
    (COMPOSE, "    timeout: 10s", "    timeout: 1m"),
    (COMPOSE, "  healthcheck:\n    disable: true\n", "  healthcheck: {interval: 5s, timeout: 5s}\n"),
)
def test_health_is_asked_for_no_longer_than_it_may_take(deployed: Deployed, tmp_path: Path):
    for service in deployed.services.values():
        check = service["healthcheck"]
        assert check.get("disable") or seconds(check["timeout"]) <= seconds(check["interval"])
        assert (check.get("disable") is True) == (service["restart"] == "no")


# What is mounted, and who may do what.


@notices(
    (COMPOSE, "  objects: {}\n", ""),
    (COMPOSE, "  outside: {}\n", "  outside: {}\n  others: {}\n"),
    (COMPOSE, "file: deploy/secrets/key", "file: deploy/key"),
)
def test_everything_mounted_is_declared_and_everything_declared_is_mounted(deployed: Deployed, tmp_path: Path):
    for kind in ("secrets", "volumes", "networks", "configs"):
        used = {name_of(each) for service in deployed.services.values() for each in service.get(kind, [])}
        assert used == set(deployed.compose[kind]), kind
    for kind, folder in (("secrets", "deploy/secrets"), ("configs", "deploy")):
        for declared in deployed.compose[kind].values():
            assert Path(declared["file"]).parent == Path(folder)
    assert "deploy/secrets/\n" in (ROOT / ".gitignore").read_text()


def name_of(mounted: object) -> str:
    return mounted["source"] if isinstance(mounted, dict) else str(mounted).partition(":")[0]


@notices(
    (COMPOSE, "KAFKA_LOG_DIRS: /var/lib/kafka/data", "KAFKA_LOG_DIRS: /tmp/kafka-logs"),
    (COMPOSE, "postgres:/var/lib/postgresql/data", "postgres:/data"),
)
def test_what_must_last_is_on_a_volume_where_its_server_keeps_it(deployed: Deployed, tmp_path: Path):
    places = {
        "kafka": deployed.services["kafka"]["environment"]["KAFKA_LOG_DIRS"],
        "postgres": "/var/lib/postgresql/data",  # the image's PGDATA
        "objects": shlex.split(deployed.services["objects"]["command"][0])[-1],
    }
    for name, place in places.items():
        assert deployed.services[name]["volumes"] == [f"{name}:{place}"]


@notices(
    (COMPOSE, '    volumes: ["spool:/var/lib/contact-ingest"]\n', ""),
    (COMPOSE, "spool:/var/lib/contact-ingest", "spool:/var/lib/spool"),
    (CHOSEN, 'spool = "/var/lib/contact-ingest/spool"\n', ""),
)
def test_what_takes_contacts_in_has_its_spool_on_a_volume_of_the_images_user(deployed: Deployed, tmp_path: Path):
    home = deployed.instructed("WORKDIR")[-1]
    for name in deployed.roles:
        takes_in = not set(deployed.verbs[name][1:]) <= {"router", "dispatcher"}
        assert deployed.roles[name].get("volumes", []) == ([f"spool:{home}"] if takes_in else [])
        assert settings_of(deployed, name, tmp_path).log.spool.is_relative_to(home)


@notices(
    (COMPOSE, "user: appuser", "user: root"),
    (COMPOSE, "user: postgres", 'user: "0:0"'),
    (IMAGE, "USER 10001:10001", "USER 0:10001"),
)
def test_nobody_is_root(deployed: Deployed, tmp_path: Path):
    users = [deployed.instructed("USER")[-1], *(each["user"] for each in deployed.services.values() if "build" not in each)]
    assert not {each.partition(":")[0] for each in users} & {"root", "0", ""}
    assert all("user" not in each for each in deployed.ours.values())


@notices(
    (COMPOSE, "read_only: true", "read_only: false"),
    (COMPOSE, "cap_drop: [ALL]", "cap_drop: [NET_RAW]"),
)
def test_ours_write_nowhere_and_may_do_nothing_special(deployed: Deployed, tmp_path: Path):
    for service in deployed.ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


@notices(
    (COMPOSE, "    shm_size:", '    ports: ["5432:5432"]\n    shm_size:'),
    (COMPOSE, "internal: true", "internal: false"),
    (COMPOSE, '"127.0.0.1:8080:8080"', '"8080:8080"'),
    (COMPOSE, '"127.0.0.1:8080:8080"', '"127.0.0.1:8080:9464"'),
    (CHOSEN, "0.0.0.0:8080", "127.0.0.1:8080"),
)
def test_only_the_public_port_is_reached_and_from_this_machine_alone_and_only_channels_reach_out(
    deployed: Deployed, tmp_path: Path
):
    reached = {name: each["ports"] for name, each in deployed.services.items() if "ports" in each}
    assert not [name for name, each in deployed.services.items() if "network_mode" in each]
    host, _, port = settings_of(deployed, "web", tmp_path).web.public.rpartition(":")
    assert (host, reached) == ("0.0.0.0", {"web": [f"127.0.0.1:{port}:{port}"]})
    assert deployed.compose["networks"]["inside"]["internal"] is True
    assert {name for name, each in deployed.services.items() if each["networks"] != ["inside"]} == {
        "email",
        "sms",
        "web",
        "dispatcher",
    }


# The images.


@notices(
    (COMPOSE, "versitygw:v1.8.0", "versitygw:latest"),
    (COMPOSE, "apache/kafka:4.3.1", "apache/kafka"),
    (COMPOSE, "image: postgres:", "image: registry.example/postgres:"),
    (COMPOSE, "contact-ingest:0.1.0", "contact-ingest:0.0.9"),
    (IMAGE, "python:3.11.15-slim", "python:slim"),
)
def test_every_image_is_of_a_known_version_from_no_registry_of_its_own(deployed: Deployed, tmp_path: Path):
    images = [each["image"] for each in deployed.services.values()]
    images += [words.split()[0] for words in deployed.instructed("FROM")]
    for image in images:
        repository, _, tag = image.partition(":")
        assert re.match(r"v?\d+\.\d+", tag), image
        assert "." not in repository.partition("/")[0], image
    assert {each["image"] for each in deployed.ours.values()} == {f"contact-ingest:{PROJECT['version']}"}


@notices(
    (COMPOSE, "apache/kafka:4.3.1", "apache/kafka:4.2.0"),
    (COMPOSE, "versitygw:v1.8.0", "versitygw:v1.7.0"),
)
def test_the_servers_are_of_the_versions_that_the_tests_run_against(deployed: Deployed, tmp_path: Path):
    pom = (ROOT / "tests/servers/kafka/pom.xml").read_text()
    (tested,) = set(re.findall(r"<groupId>org\.apache\.kafka</groupId>.*?<version>(.+?)</version>", pom, re.DOTALL))
    assert deployed.services["kafka"]["image"] == f"apache/kafka:{tested}"
    assert deployed.services["objects"]["image"] == f"versity/versitygw:{s3.VERSION}"
    assert deployed.services["postgres"]["image"].startswith("postgres:15.")


@notices((COMPOSE, "max_wal_size=4GB", "max_wal_size=1GB"))
def test_the_database_is_told_what_the_figures_were_measured_with(deployed: Deployed, tmp_path: Path):
    told = [word for name, value in postgres.ADVISED.items() for word in ("-c", f"{name}={value}")]
    assert deployed.services["postgres"]["command"] == ["postgres", *told]


@notices(
    (IMAGE, "COPY router router/\n", ""),
    (IMAGE, "uv.lock", "requirements.txt"),
    (IMAGE, "--frozen --no-dev --extra spans --no-editable", "--no-dev --extra spans --no-editable"),
    (IMAGE, "--no-editable ", ""),
    (IGNORED, "!channels\n", ""),
)
def test_the_image_is_built_of_what_there_is_as_it_is_locked(deployed: Deployed, tmp_path: Path):
    copied = [words.split() for words in deployed.instructed("COPY")]
    sources = [each for words in copied if not words[0].startswith("--from=") for each in words[:-1]]
    ignored = [line for line in deployed.texts[".dockerignore"].splitlines() if line and not line.startswith("#")]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert not is_ignored(source, ignored), source
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*packages, "pyproject.toml", "uv.lock", PROJECT["readme"], *PROJECT["license-files"]} == set(sources)
    syncs = [words for words in deployed.instructed("RUN") if words.startswith("uv sync ")]
    assert syncs
    assert all({"--frozen", "--no-dev"} <= set(words.split()) for words in syncs)
    assert "--no-editable" in syncs[-1]  # the sources are left behind


def is_ignored(path: str, patterns: list[str]) -> bool:
    """By the last pattern that fits, as Docker has it; our names have no folders in them."""
    ignored = False
    for pattern in patterns:
        if fnmatch(path, pattern.removeprefix("!")):
            ignored = not pattern.startswith("!")
    return ignored


@notices(
    (IGNORED, "*\n", ""),
    (IGNORED, "!router\n", "!router\n!deploy\n"),
)
def test_no_secret_and_no_test_goes_into_the_image(deployed: Deployed, tmp_path: Path):
    ignored = [line for line in deployed.texts[".dockerignore"].splitlines() if line and not line.startswith("#")]
    assert ignored[0] == "*"
    assert all(is_ignored(each, ignored) for each in ("deploy", "tests", ".git", ".venv", "ingest.key", "ingest.toml"))


@notices(
    (IMAGE, "python:3.11.15", "python:3.10.15"),
    (IMAGE, "slim-bookworm AS build", "slim-trixie AS build"),
    (IMAGE, 'ENTRYPOINT ["ingest"]', 'ENTRYPOINT ["contact-ingest"]'),
    (IMAGE, "PATH=/opt/contact-ingest/bin:", "PATH=/opt/bin:"),
)
def test_the_image_runs_our_command_on_a_python_that_we_run_on(deployed: Deployed, tmp_path: Path):
    bases = {words.split()[0] for words in deployed.instructed("FROM")}
    assert len(bases) == 1, "what is built in one stage runs in the other"
    (version,) = re.findall(r"^python:(\d+\.\d+\.\d+)-", bases.pop())
    assert version in SpecifierSet(PROJECT["requires-python"])
    (command,) = json.loads(deployed.instructed("ENTRYPOINT")[-1])
    assert command in PROJECT["scripts"]
    environment = dict(word.split("=", 1) for words in deployed.instructed("ENV") for word in words.split())
    built = environment["UV_PROJECT_ENVIRONMENT"]
    assert f"--from=build {built} {built}" in deployed.instructed("COPY")
    assert environment["PATH"].startswith(f"{built}/bin:")


# Each of them can fail.


@pytest.mark.parametrize(
    ("check", "name", "right", "wrong"),
    [pytest.param(*each, id=f"{each[0].__name__}-{number}") for number, each in enumerate(MISTAKES)],
)
def test_a_mistake_in_one_of_the_files_is_noticed(
    check: Check, name: str, right: str, wrong: str, deployed: Deployed, tmp_path: Path
):
    text = deployed.texts[name]
    assert right in text
    with pytest.raises((AssertionError, Misconfigured, TyperException, LookupError, ValueError, SyntaxError)):
        check(Deployed({**deployed.texts, name: text.replace(right, wrong)}), tmp_path)


def test_every_check_has_been_seen_to_fail():
    checks = {
        each
        for name, each in globals().items()
        if name.startswith("test_") and list(each.__annotations__) == ["deployed", "tmp_path"]
    }
    assert {check for check, *_ in MISTAKES} == checks
