"""The JSON Schemas of what is published, made from the types: ``python -m ingest.contract.schemas`` writes them anew.

One for each ``ce_type``, open to fields it does not name, as a reader must be. CC0-1.0, so that no publisher is bound.
"""

import json
from pathlib import Path
from typing import Any, Final

from ingest.contract.topics import TOPICS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_LICENCE: Final = "SPDX-License-Identifier: CC0-1.0"
_PREFIX: Final = "contact-ingest."

SHAPES: Final = {topic.ce_type.removeprefix(_PREFIX): topic.shape for topic in TOPICS}
"""The type behind each name, such as ``contact.v1``."""


def schema(ce_type: str) -> dict[str, Any]:
    """The schema of that type of event, given as ``contact-ingest.contact.v1`` or ``contact.v1``; KeyError where there is none."""
    name = ce_type.removeprefix(_PREFIX)
    made = SHAPES[name].model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"urn:contact-ingest:{name}", "$comment": _LICENCE, **made}


def written(ce_type: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(ce_type), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Each schema as a file, ``contact.v1.schema.json`` and so on."""
    for name in SHAPES:
        (folder / f"{name}.schema.json").write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
