"""What is fetched and built once a machine: one test process does it, and the others that want it wait."""

from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

CACHE = Path.home() / ".cache" / "contact-ingest"


@contextmanager
def alone(name: str) -> Generator[None]:
    """Nobody else is in a block of this name meanwhile."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as held:
        flock(held, LOCK_EX)
        yield
