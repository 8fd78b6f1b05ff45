"""Apache Kafka in KRaft mode on free ports of the loopback: one node that is broker and controller. It runs in a container
where a Docker engine answers, else from its own Maven jars.

It listens without protection, and beside that with TLS and SCRAM; as Kafka does by default, it makes whatever topic a
client asks it about, so that a test sees who asks.
"""

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

import docker
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from docker.errors import ContainerError, DockerException
from testcontainers.core.container import DockerContainer

from tests.servers.cache import CACHE, alone
from tests.servers.loopback import free_ports, listens

USERNAME = "router"
PASSWORD = "a-horse-a-stable-8"
_CLUSTER_ID = "c0ntactIngestTestsOnly"
_POM = Path(__file__).parent / "kafka" / "pom.xml"
_IMAGE = "apache/kafka:4.3.1"
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_BROKER = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Xmx384m", "-Xms128m", *_JVM)

_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://localhost:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.ssl.keystore.type=PEM
listener.name.sasl_ssl.ssl.keystore.location={folder}/keystore.pem
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
metadata.max.idle.interval.ms=0
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=100
controlled.shutdown.enable=false
"""


class Java(Protocol):
    """What runs Kafka's classes in the cluster's folder."""

    def start(self, arguments: Sequence[str]) -> None:
        """A broker that stays, and whose words go to ``kafka.log``."""
        ...

    def ended(self) -> bool:
        """Whether the broker has come to an end by itself."""
        ...

    def pid(self) -> int:
        """The broker's, as this machine has it."""
        ...

    def kill(self) -> None:
        """End the broker as a loss of power would."""
        ...

    def pause(self) -> None:
        """Connections stay open and nothing answers."""
        ...

    def resume(self) -> None:
        """Go on where it paused."""
        ...

    def run(self, arguments: Sequence[str], stdin: str | None) -> subprocess.CompletedProcess[str]:
        """A tool, to its end."""
        ...


class Installed:
    """This machine's Java, with the jars in a folder."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._folder = folder
        archive = _archive_beside(jars)
        self._classes = (*((f"-XX:SharedArchiveFile={archive}",) if archive.exists() else ()), "-cp", f"{jars}/*")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str]) -> None:
        with (self._folder / "kafka.log").open("ab") as said:
            self._process = subprocess.Popen(
                ["java", *_BROKER, *self._classes, *arguments], cwd=self._folder, stdout=said, stderr=said
            )

    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def end(self) -> None:
        """End it in good order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(60)
        self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # a thread that still runs might answer

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def run(self, arguments: Sequence[str], stdin: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["java", "-Xmx128m", *_JVM, *self._classes, *arguments],
            cwd=self._folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )


class Contained:
    """The Java and the jars of Kafka's own image, on this machine's network and in the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._classes = ("-cp", "/opt/kafka/libs/*")
        self._container: Any = None
        self._as_here: dict[str, Any] = {
            "network_mode": "host",
            "user": f"{os.getuid()}:{os.getgid()}",
            "working_dir": str(folder),
            "entrypoint": "",
        }

    def start(self, arguments: Sequence[str]) -> None:
        line = shlex.join(["java", *_BROKER, *self._classes, *arguments])
        made = DockerContainer(_IMAGE, volumes=[(str(self._folder), str(self._folder), "rw")], **self._as_here)
        self._container = made.with_command(["sh", "-c", f"exec {line} >>kafka.log 2>&1"]).start().get_wrapped_container()

    def ended(self) -> bool:
        if self._container is None:
            return False
        self._container.reload()
        return self._container.status == "exited"

    def pid(self) -> int:
        self._container.reload()
        return self._container.attrs["State"]["Pid"]

    def kill(self) -> None:
        if self._container is not None:
            with contextlib.suppress(DockerException):  # it may have ended by itself
                self._container.kill()
            self._container.remove(force=True)
            self._container = None

    def pause(self) -> None:
        self._container.pause()

    def resume(self) -> None:
        self._container.unpause()

    def run(self, arguments: Sequence[str], stdin: str | None) -> subprocess.CompletedProcess[str]:
        (self._folder / "stdin").write_text(stdin or "")
        line = shlex.join(["java", "-Xmx128m", *_JVM, *self._classes, *arguments])
        volumes = {str(self._folder): {"bind": str(self._folder), "mode": "rw"}}
        command = ["sh", "-c", f"{line} <stdin 2>stderr"]
        try:
            said, status = docker.from_env().containers.run(_IMAGE, command, remove=True, volumes=volumes, **self._as_here), 0
        except ContainerError as error:
            said, status = b"", error.exit_status
        complaints = (self._folder / "stderr").read_text()
        return subprocess.CompletedProcess(line, status, said.decode(), complaints)


class Kafka:
    """One private cluster of a single node."""

    def __init__(self, folder: Path, java: Java) -> None:
        self.folder = folder
        self.stopped = True
        self._java = java
        self.port, self.secure_port, controller = free_ports(3)
        self.ca_file = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("localhost")
        # Kafka reads one file: the key, as PKCS #8, then the chain.
        key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
        (folder / "keystore.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(folder / "keystore.pem"), append=True)
        (folder / "server.properties").write_text(
            _PROPERTIES.format(plain=self.port, secure=self.secure_port, controller=controller, folder=folder)
        )
        scram = f"SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]"
        made = self.run("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", "server.properties", "--add-scram", scram)
        if made.returncode:
            raise RuntimeError(f"Kafka's storage could not be made: {made.stdout}{made.stderr}")

    @property
    def pid(self) -> int:
        """The broker's."""
        return self._java.pid()

    @property
    def url(self) -> str:
        """The unprotected listener, as ``log.url`` wants it."""
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def secure_url(self) -> str:
        """The listener with TLS and SCRAM, as ``log.url`` wants it."""
        return f"kafka://localhost:{self.secure_port}"

    def run(self, tool: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """One of the tools in the jars, such as ``org.apache.kafka.tools.ConsoleProducer``."""
        return self._java.run([tool, *arguments], stdin)

    def start(self, *how: str) -> None:
        """Be ready for connections. ``how`` is said to the virtual machine."""
        self.stopped = False
        self._java.start([*how, "kafka.Kafka", "server.properties"])
        deadline = time.monotonic() + 60
        while not all(listens(port) for port in (self.port, self.secure_port)):
            if time.monotonic() > deadline or self._java.ended():
                raise RuntimeError(f"Kafka did not start: {self.telemetry()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End as after a loss of power: what was acknowledged must be there when it starts again."""
        self._java.kill()
        self.stopped = True

    def restart(self) -> None:
        """Down and up again on the same ports and the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nothing answers."""
        self._java.pause()

    def resume(self) -> None:
        """Go on where it paused."""
        self._java.resume()

    def telemetry(self) -> str:
        """What it said of itself so far."""
        return (self.folder / "kafka.log").read_text(errors="replace")


def running_kafka() -> Generator[Kafka]:
    """The body of a fixture: a cluster for as long as it is wanted; skipped where it cannot be, failed where CI is set.

    The jars are fetched once a machine, into ``~/.cache/contact-ingest/kafka``.
    """
    folder = Path(tempfile.mkdtemp(prefix="kafka-"))
    server: Kafka | None = None
    try:
        server = Kafka(folder, Contained(folder) if _engine_answers() else Installed(folder, kafka_jars()))
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _engine_answers() -> bool:
    try:
        return bool(docker.from_env(timeout=5).ping())
    except DockerException:
        return False


def kafka_jars() -> Path:
    """The folder of the jars and of what Java has made of them."""
    missing = [each for each in ("java", "mvn") if shutil.which(each) is None]
    if missing:
        _cannot(f"Kafka needs {' and '.join(missing)}: install with: apt-get install openjdk-17-jre-headless maven")
    folder = CACHE / "kafka" / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    with alone("kafka"):
        if not folder.exists():
            folder.parent.mkdir(exist_ok=True)
            _fetch(folder)
        if not (archive := _archive_beside(folder)).exists():
            _make(archive)
    return folder


def _fetch(folder: Path) -> None:
    """By Maven, under another name first: what is there is whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        filling = Path(beside) / "jars"
        ran = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={filling}", "-DincludeScope=runtime"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )  # fmt: skip
        if ran.returncode:
            _cannot(f"Maven could not fetch Kafka's jars: {ran.stdout[-500:]}")
        filling.rename(folder)


def _archive_beside(jars: Path) -> Path:
    """For this Java, where a broker's classes are as it had them loaded: a start from there takes half as long."""
    binary = Path(shutil.which("java") or "java").resolve()
    return jars / f"{hashlib.sha256(f'{binary}{binary.stat().st_mtime_ns}'.encode()).hexdigest()[:16]}.jsa"


def _make(archive: Path) -> None:
    """By a broker that ends in good order, once a machine."""
    folder = Path(tempfile.mkdtemp(prefix="kafka-"))
    try:
        java = Installed(folder, archive.parent)
        Kafka(folder, java).start(f"-XX:ArchiveClassesAtExit={folder}/made")
        java.end()
        filling = archive.with_suffix(f".{os.getpid()}")
        shutil.copy(folder / "made", filling)
        filling.rename(archive)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cannot(sentence: str) -> NoReturn:
    (pytest.fail if "CI" in os.environ else pytest.skip)(sentence)
