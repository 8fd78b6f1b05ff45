"""A real Dovecot on the loopback: implicit TLS, its own users, Maildirs in a folder of its own, stopped with the tests.

Mail put into a Maildir gets its INTERNALDATE from the file's modification time, and Dovecot tells whoever is in IDLE.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path

import pytest
import trustme

from tests.servers.loopback import free_ports

PASSWORD = 'correct"horse'
"""Every user's."""

_BINARY = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
_numbers = itertools.count(1)

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
default_process_limit = 50
ssl = required
ssl_cert = <{folder}/chain.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_failure_delay = 1 secs
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1 secs
imap_capability = {capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
mail_plugins = acl
protocol imap {{
  mail_plugins = acl imap_acl
}}
plugin {{
  acl = vfile
}}
{unrooted}
"""

_UNROOTED = "\n".join(f"service {each} {{\n  chroot =\n}}" for each in ("imap-login", "anvil", "stats"))


class Dovecot:
    """One private instance. Every user that is asked for exists, with ``PASSWORD`` until another is set, which counts from the next start."""

    host = "localhost"

    def __init__(self, folder: Path, capability: str) -> None:
        self.folder = folder
        self.password = PASSWORD
        self._capability = capability
        self.ca_file = folder / "ca.pem"
        (self.port,) = free_ports(1)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert("localhost")
        certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(folder / "chain.pem"), append=True)
        root = os.geteuid() == 0
        self._owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        self._roles = ("dovecot", "dovecot", "dovenull") if root else (self._owner.pw_name, "", self._owner.pw_name)
        self._unrooted = "" if root else _UNROOTED
        (folder / "mail").mkdir()
        self._own([folder / "mail"])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Be ready for connections."""
        internal, internal_group, login = self._roles
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                port=self.port,
                capability=self._capability,
                password=self.password,
                uid=self._owner.pw_uid,
                gid=self._owner.pw_gid,
                internal=internal,
                internal_group=internal_group,
                login=login,
                unrooted=self._unrooted,
            )
        )
        assert _BINARY is not None
        self._process = subprocess.Popen([_BINARY, "-F", "-c", str(configuration)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 15
        while not self._greets():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"dovecot did not start: {self.telemetry()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Drop every connection and end."""
        if self._process is None:
            return
        self.resume()
        children = _children(self._process.pid)
        self._process.terminate()
        # A login process would outlive its master by seconds, for the sake of those it has let in.
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    def restart(self) -> None:
        """As after an update of the mail server: every connection is dropped."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it paused."""
        self._signal(signal.SIGCONT)

    def mailbox(self, user: str, folder: str = "INBOX") -> Path:
        """The Maildir of a user's folder, made where it is missing."""
        path = self.folder / "mail" / user / ("" if folder == "INBOX" else f".{folder}")
        made = [path.parent, path, *(path / part for part in ("tmp", "new", "cur"))]
        for each in made:
            each.mkdir(exist_ok=True)
        self._own(made)
        return path

    def deliver(self, user: str, raw: bytes, internal_date: datetime | None = None, flags: str | None = None) -> Path:
        """Put a mail into the user's INBOX as a mail server does, whole or not at all; its lines end in CRLF already.

        ``flags`` is what a person's mail program has set: ``S`` seen, ``F`` flagged, ``T`` to be deleted.
        """
        box = self.mailbox(user)
        name = f"{time.time_ns()}.{next(_numbers)}.test"
        unready = box / "tmp" / name
        unready.write_bytes(raw)
        if internal_date is not None:
            os.utime(unready, (internal_date.timestamp(), internal_date.timestamp()))
        self._own([unready])
        return unready.rename(box / "new" / name if flags is None else box / "cur" / f"{name}:2,{flags}")

    def allow(self, user: str, rights: str) -> None:
        """What the user may do with their own INBOX, in the letters of RFC 4314: ``lr`` is look and read."""
        path = self.mailbox(user) / "dovecot-acl"
        path.write_text(f"owner {rights}\n")
        self._own([path])

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The Maildir flags of each mail in a folder, such as ``S``; the empty string for one nobody has touched."""
        box = self.mailbox(user, folder)
        return [each.name.partition(":2,")[2] for part in ("new", "cur") for each in (box / part).iterdir()]

    def uid_validity(self, user: str) -> int:
        """Of the user's INBOX, which somebody has opened."""
        return int((self.mailbox(user) / "dovecot-uidlist").read_text(errors="replace").split(maxsplit=2)[1].removeprefix("V"))

    def forget_uids(self, user: str) -> None:
        """Lose the indexes of the user's INBOX, as in a move to another server: UIDVALIDITY changes."""
        box = self.mailbox(user)
        validity = self.uid_validity(user)
        for each in list(box.glob("dovecot*")):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        # UIDVALIDITY is made of the time of day, and a test may be quicker than its second.
        (box / "dovecot-uidlist").write_text(f"3 V{validity + 1} N1 G{os.urandom(16).hex()}\n")
        self._own([box / "dovecot-uidlist"])

    def telemetry(self) -> str:
        """What it said of itself so far."""
        path = self.folder / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _own(self, paths: Iterable[Path]) -> None:
        if os.geteuid() == 0:
            for each in paths:
                os.chown(each, self._owner.pw_uid, self._owner.pw_gid)

    def _greets(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=2) as raw,
                context.wrap_socket(raw, server_hostname=self.host) as wrapped,
            ):
                return wrapped.recv(4) == b"* OK"
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        """To the master and to everything it has started."""
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def running_dovecot(capability: str = "") -> Generator[Dovecot]:
    """The body of a fixture: an instance for as long as it is wanted; skipped where there is none, failed where CI is set.

    ``capability`` replaces what it says of itself, such as one without IDLE.
    """
    if _BINARY is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "Dovecot is missing: install it with: apt-get install dovecot-imapd"
        )
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)  # Dovecot's own users must pass
    server = Dovecot(folder, capability)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()] if path.exists() else []
