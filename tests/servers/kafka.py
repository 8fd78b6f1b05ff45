"""Apache Kafka in KRaft mode on free ports of the loopback, from its own Maven jars: one node that is broker and controller.

It listens without protection, and beside that with TLS and SCRAM; as Kafka does by default, it makes whatever topic a
client asks it about, so that a test sees who asks.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

USERNAME = "router"
PASSWORD = "a-horse-a-stable-8"
_CLUSTER_ID = "c0ntactIngestTestsOnly"
_POM = Path(__file__).parent / "kafka" / "pom.xml"

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
log.retention.check.interval.ms=1000
log.segment.delete.delay.ms=100
controlled.shutdown.enable=false
"""


class Kafka:
    """One private cluster of a single node."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self.folder = folder
        self._jars = jars
        self._process: subprocess.Popen[bytes] | None = None
        self.port, self.secure_port, controller = _free_ports(3)
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
    def url(self) -> str:
        """The unprotected listener, as ``log.url`` wants it."""
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def secure_url(self) -> str:
        """The listener with TLS and SCRAM, as ``log.url`` wants it."""
        return f"kafka://localhost:{self.secure_port}"

    def run(self, tool: str, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """One of the tools in the jars, such as ``org.apache.kafka.tools.ConsoleProducer``."""
        return subprocess.run(
            ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{self._jars}/*", tool, *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self) -> None:
        """Be ready for connections."""
        java = (
            "java",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Xmx384m",
            "-Xms128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
        )
        with (self.folder / "kafka.log").open("ab") as said:
            self._process = subprocess.Popen(
                [*java, "-cp", f"{self._jars}/*", "kafka.Kafka", "server.properties"],
                cwd=self.folder,
                stdout=said,
                stderr=said,
            )
        deadline = time.monotonic() + 60
        while not all(_listens(port) for port in (self.port, self.secure_port)):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"Kafka did not start: {self.telemetry()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End as after a loss of power: what was acknowledged must be there when it starts again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def restart(self) -> None:
        """Down and up again on the same ports and the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it paused."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def telemetry(self) -> str:
        """What it said of itself so far."""
        return (self.folder / "kafka.log").read_text(errors="replace")


def running_kafka() -> Generator[Kafka]:
    """The body of a fixture: a cluster for as long as it is wanted; skipped where it cannot be, failed where CI is set."""
    jars = kafka_jars()
    folder = Path(tempfile.mkdtemp(prefix="kafka-"))
    server: Kafka | None = None
    try:
        server = Kafka(folder, jars)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def kafka_jars() -> Path:
    """The folder of the jars, fetched once a machine into ``~/.cache/contact-ingest/kafka``; skips or fails where they cannot be had."""
    missing = [each for each in ("java", "mvn") if shutil.which(each) is None]
    if missing:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            f"Kafka needs {' and '.join(missing)}: install with: apt-get install openjdk-17-jre-headless maven"
        )
    try:
        return _jars()
    except subprocess.CalledProcessError as error:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"Maven could not fetch Kafka's jars: {error.stdout[-500:]}")


def _jars() -> Path:
    """The folder of the jars; filled under another name first, since several test processes may want it at once."""
    folder = Path.home() / ".cache" / "contact-ingest" / "kafka" / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        filling = Path(tempfile.mkdtemp(dir=folder.parent))
        subprocess.run(
            ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={filling}", "-DincludeScope=runtime"],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # another was first
            filling.rename(folder)
    return folder


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for each in probes:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in probes]
    for each in probes:
        each.close()
    return ports


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
