"""A real S3 server on the loopback: versitygw over a folder of its own, stopped with the tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest.settings import OriginalsSettings
from tests.servers.cache import CACHE, alone
from tests.servers.loopback import free_ports, listens

VERSION = "v1.8.0"
REGION = "eu-west-2"
_MODULE = "github.com/versity/versitygw/cmd/versitygw"
_BINARIES = CACHE / "bin"
# To build it as it would be shipped takes twice the time, which a few hundred requests never win back.
_AS_IT_IS_WRITTEN = ("-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w")


class S3:
    """One private server with its data in ``folder``, a folder a bucket."""

    access_key = "only-these-tests"
    secret_key = "know-of-these-keys"

    def __init__(self, binary: Path, folder: Path) -> None:
        self.folder = folder
        self._binary = binary
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Be ready for requests."""
        self._process = subprocess.Popen(
            [str(self._binary), "--port", f"127.0.0.1:{self._port}", "--region", REGION, "--quiet", "posix", str(self.folder)],
            env={"PATH": os.defpath, "ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not listens(self._port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("versitygw did not start")
            time.sleep(0.05)

    def stop(self) -> None:
        """End."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None

    def pause(self) -> None:
        """Connections are taken and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it paused."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def bucket(self, name: str) -> Path:
        """An empty bucket, whose objects are the files of a folder."""
        path = self.folder / name
        path.mkdir()
        return path

    def settings(self, url: str, **changed: object) -> OriginalsSettings:
        """How originals reach that bucket."""
        given: dict[str, object] = {
            "endpoint": self.endpoint,
            "region": REGION,
            "access_key": SecretStr(self.access_key),
            "secret_key": SecretStr(self.secret_key),
        }
        return OriginalsSettings.model_validate({"url": url, **given, **changed})


def running_s3() -> Generator[S3]:
    """The body of a fixture: a server for as long as it is wanted; skipped where there is none, failed where CI is set."""
    binary = _binary()
    if binary is None:
        pytest.skip(f"versitygw is missing: install it with: GOBIN={_BINARIES} go install {_MODULE}@{VERSION}")
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    server = S3(binary, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _binary() -> Path | None:
    """Where it lies; in CI it is built where it is missing, so that nothing is skipped there."""
    with alone("versitygw"):
        if found := shutil.which("versitygw", path=f"{_BINARIES}{os.pathsep}{os.environ.get('PATH', os.defpath)}"):
            return Path(found)
        if "CI" not in os.environ:
            return None
        go = shutil.which("go")
        if go is None:
            pytest.fail("versitygw is missing and so is Go, which builds it: install Go 1.26 or later.")
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="versitygw-") as beside:
            words = [go, "install", *_AS_IT_IS_WRITTEN, f"{_MODULE}@{VERSION}"]
            subprocess.run(words, env={**os.environ, "GOBIN": beside}, check=True, timeout=600)
            _BINARIES.mkdir(exist_ok=True)
            return (Path(beside) / "versitygw").rename(_BINARIES / "versitygw")
