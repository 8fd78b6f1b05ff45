"""``ingest read``: what the router would make of texts, one JSON line each, for whoever labels or tunes. Nothing is stored."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from router.read import Reading, read

_CHANNELS = frozenset({"email", "letter", "web_form", "sms", "social", "telephone"})


def command(
    jsonl: Annotated[Path, typer.Option("--jsonl", help="File of lines with id, channel, subject and text.")],
) -> None:
    """Say what each line is: outcome, facts, confidence and evidence. Exit status 1 where a line could not be read."""
    try:
        lines = jsonl.open("rb")
    except OSError as error:
        typer.echo(f"{jsonl} cannot be opened: {error.strerror or error}.", err=True)
        raise typer.Exit(2) from error
    wrong = 0
    with lines:
        for number, answer in enumerate(_answers(lines), 1):
            if "error" in answer:
                wrong += 1
                typer.echo(f"Line {number}: {answer['error']}", err=True)
            typer.echo(json.dumps(answer, ensure_ascii=False))
    if wrong:
        typer.echo(f"{wrong} of the lines could not be read; each says why.", err=True)
        raise typer.Exit(1)


def _answers(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.strip():
            yield _answer(line)


def _answer(line: bytes) -> dict[str, Any]:
    try:
        given: Any = json.loads(line.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        return {"id": None, "error": f"This is not a line of JSON in UTF-8: {error}."}
    if not isinstance(given, dict):
        return {"id": None, "error": "This is not a JSON object with id, channel, subject and text."}
    row = cast("dict[str, Any]", given)
    name = row.get("id")
    name = name if isinstance(name, str | int) else None
    channel, subject, text = row.get("channel"), row.get("subject"), row.get("text")
    if name is None:
        return {"id": None, "error": "id is missing; it is a text or a number."}
    if channel not in _CHANNELS:
        return {"id": name, "error": f"channel must be one of {', '.join(sorted(_CHANNELS))}."}
    if not isinstance(text, str) or not isinstance(subject, str | None):
        return {"id": name, "error": "text must be a text, and subject a text or null."}
    return {"id": name, **_said(read(channel, subject, text))}


def _said(reading: Reading) -> dict[str, Any]:
    """A reading in the words of the labelling guide."""
    person = reading.individual
    return {
        "outcome": reading.outcome.value,
        "facts": {
            "feedback_type": reading.feedback_type,
            "review_criteria": [name for name, _ in reading.review_criteria],
            "remedy_sought": reading.remedy_sought,
            "contacted_before": reading.contacted_before,
            "case_reference": next(iter(reading.case_references), None),
            "organisation_complained_of": reading.organisation_complained_of,
            "reasonable_adjustments": list(reading.reasonable_adjustments),
            "preferred_method": reading.preferred_method,
            "safeguarding": reading.safeguarding,
            "individual": {
                "name": person.name,
                "postcode": person.postcode,
                "phone": person.phone,
                "email": person.email,
                "date_of_birth": person.date_of_birth,
            },
        },
        "confidence": reading.confidence,
        "evidence": [
            *({"name": each.name, "value": each.value, "rule": each.rule, "words": each.words} for each in reading.evidence),
            *({"name": "safeguarding", "value": each.kind, "rule": each.rule, "words": each.words} for each in reading.signs),
            *(
                {"name": "restriction", "value": method, "rule": "a wish that restricts", "words": words}
                for method, words in reading.restrictions
            ),
        ],
    }
