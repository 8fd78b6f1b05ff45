"""``ingest``: every verb in one place, each imported when it is called, so that help answers at once."""


def main() -> None:
    """Run the command line."""
    raise NotImplementedError
