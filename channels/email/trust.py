"""Whose certificates an account believes: the system's, and those of its ``ca_file``."""

import ssl

from ingest.errors import Misconfigured


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Raises Misconfigured(``ca_file``). Reading every certificate takes some hundredths of a second."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise Misconfigured("ca_file", f"ca_file {ca_file} cannot be read: {error.strerror or error}.") from error
    return context
