"""What is deployed, read from its own files: docker-compose.yml, the image's Dockerfile and the settings of the roles."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from ingest.commands.entry import app

ROOT = Path(__file__).parents[2]
NAMES = ("docker-compose.yml", "deploy/Dockerfile", "deploy/compose.toml", ".dockerignore")

Service = Mapping[str, Any]


@dataclass(frozen=True)
class Deployed:
    """The files' texts by their names, and what stands in them."""

    texts: Mapping[str, str]

    @classmethod
    def read(cls) -> "Deployed":
        """As they stand in the repository."""
        return cls({name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES})

    @cached_property
    def compose(self) -> dict[str, Any]:
        """All of docker-compose.yml."""
        return yaml.safe_load(self.texts["docker-compose.yml"])

    @property
    def services(self) -> dict[str, Service]:
        """By name."""
        return self.compose["services"]

    @property
    def ours(self) -> dict[str, Service]:
        """Those of our own image."""
        return {name: each for name, each in self.services.items() if "build" in each}

    @property
    def verbs(self) -> dict[str, Sequence[str]]:
        """What each of ours is told to do, where it is one of our own commands."""
        return {name: each["command"] for name, each in self.ours.items() if "entrypoint" not in each}

    @property
    def roles(self) -> dict[str, Service]:
        """Those that go on running."""
        return {name: self.ours[name] for name, words in self.verbs.items() if words[0] == "run"}

    @cached_property
    def image(self) -> list[tuple[str, str]]:
        """The Dockerfile's instructions in order: which, and all of its words."""
        lines = re.sub(r"\\\n\s*", " ", self.texts["deploy/Dockerfile"]).splitlines()
        split = (line.partition(" ") for line in lines if line.strip() and not line.startswith("#"))
        return [(instruction, words.strip()) for instruction, _, words in split]

    def instructed(self, instruction: str) -> list[str]:
        """The words of every instruction of that name, in the last stage of the build or before."""
        return [words for name, words in self.image if name == instruction]


def parsed(words: Sequence[str]) -> Mapping[str, Any]:
    """The options and arguments of one of our commands, as its own parser has them. Raises TyperException."""
    command: Any = get_command(app)
    name, parent, rest = "ingest", None, list(words)
    while True:
        context = command.make_context(name, rest, parent)
        if not hasattr(command, "resolve_command"):
            return context.params
        rest, parent = [*context._protected_args, *context.args], context
        if not rest:
            return context.params  # it does something by itself
        name, command, rest = command.resolve_command(context, rest)
