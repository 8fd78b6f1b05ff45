"""Raw messages and attachments, each under its SHA-256, kept before anything is parsed."""

from ingest.errors import Unavailable


class Originals:
    """A store of bytes by digest: ``put`` returns once they would survive a loss of power; what is there is never changed."""

    def __init__(self, url: str) -> None:
        raise NotImplementedError

    async def put(self, contents: list[bytes]) -> list[str]:
        """Keep each, and answer with their digests (SHA-256, lower-case hex). A repeat is no error. Raises Unavailable."""
        raise NotImplementedError

    async def get(self, digest: str) -> bytes:
        """The bytes, whose digest is checked. Raises KeyError where there are none of that digest, Unavailable."""
        raise NotImplementedError

    async def check(self) -> None:
        """Write, read and remove a small file. Raises Unavailable, saying what to do."""
        raise Unavailable("originals-unavailable", "")
