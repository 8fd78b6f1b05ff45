"""The command line, a file a verb: the only room that may import channels and router."""

from ingest.commands.entry import main

__all__ = ["main"]
