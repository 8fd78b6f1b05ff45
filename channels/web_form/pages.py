"""The form's pages: what stands on each, in either language, as HTML that holds nothing a person wrote but escaped.

Pure once made: each method gives the HTML of a page. Templates are the design system's, which ``govuk-frontend-jinja`` has, with the
CSS and JavaScript of the npm release of the same number, compiled when the package is built.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup

from channels.web_form.drafts import Sent
from channels.web_form.questions import (
    CHECK,
    CRITERIA,
    FILES,
    FIRST,
    Answer,
    Answers,
    Field,
    Page,
    Wrong,
    asked,
    hides_words,
    page_before,
    purpose,
    to_send,
    visible,
    ways,
)
from channels.web_form.settings import FormAccount
from channels.web_form.words import LANGUAGES, Language, Words
from ingest.contract import Attachment
from ingest.errors import Misconfigured
from ingest.ids import reference
from ingest.promise import acknowledgement_due
from ingest.settings import Settings

ASSETS: Final = Path(__file__).parent / "assets"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_WANTED: Final = ("form.css", "form.js", "govuk-frontend.min.js", "icon.svg")
_INLINE: Final = re.compile(r"<script[^>]*>(document\.body\.className.+?)</script>")
_GROUPS: Final = {
    "your_feedback": (
        "purpose", "about", "organisation", "what-happened", "inaccurate-facts", "new-information", "overlooked-information", "remedy",
        FILES, "contacted-before", "case-reference",
    ),
    "about_you": ("for-whom", "other-person", "authority", "other-authority", "name", "date-of-birth", "adjustments"),
    "reach": ("address", "email", "telephone", "safe", "reply"),
}  # fmt: skip
_ENDINGS: Final = {"jpeg": "JPG", "doc": "DOC"}


def path(language: Language, rest: str = "") -> str:
    """Where a page is: Welsh ones are below ``/cy``."""
    return f"/cy/{rest}".rstrip("/") if language == "cy" else f"/{rest}"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages refer to."""

    content: bytes
    content_type: str


def read_assets(folder: Path = ASSETS) -> tuple[str, Mapping[str, Asset]]:
    """A word that changes with any of the files, and the files by name. Raises Misconfigured where they were not built."""
    try:
        found = {name: Asset((folder / name).read_bytes(), _TYPES[Path(name).suffix]) for name in _WANTED}
    except OSError as error:
        raise Misconfigured(
            "channels.web_form",
            "channels.web_form: the form's stylesheet and scripts are not built. `make setup` builds them; the image has them.",
        ) from error
    told = hashlib.sha256()
    for name in _WANTED:
        told.update(hashlib.sha256(found[name].content).digest())
    return told.hexdigest()[:16], found


@cache  # to compile them takes longer than all else that a form needs
def _templates() -> tuple[Environment, PackageLoader]:
    """Ours over the design system's, and the latter by itself."""
    theirs = PackageLoader("govuk_frontend_jinja")
    loader = ChoiceLoader([PackageLoader("channels.web_form"), PrefixLoader({"govuk_frontend_jinja": theirs})])
    return Environment(loader=loader, autoescape=True), theirs


class Pages:
    """Every page of one form. Raises Misconfigured where the assets were not built."""

    def __init__(self, account: FormAccount, settings: Settings, cookie: str) -> None:
        self.version, self.assets = read_assets()
        self._settings = settings
        self._account = account
        self._cookie = cookie
        self._zone = ZoneInfo(settings.outgoing.time_zone)
        self.words: Mapping[Language, Words] = {each: self._words(each) for each in LANGUAGES}
        jinja, theirs = _templates()
        source, _, _ = theirs.get_source(jinja, "template.html")
        inline = _INLINE.findall(source)
        allowed = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'" for each in inline)
        self.policy = (
            f"default-src 'none'; style-src 'self'; script-src 'self' {allowed}; "
            "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        self._templates = {
            name: jinja.get_template(f"{name}.html")
            for name in ("start", "question", "files", "check", "confirmation", "notice", "problem")
        }

    def start(self, language: Language, resume: str | None) -> str:
        """The first page; ``resume`` is where they stopped."""
        t = self.words[language]
        parts = t.blocks("start.body", *(["start.by_telephone"] if self._settings.acknowledgement.telephone else []))
        return self._page(
            "start", language, "", title=t("start.title"), parts=parts, after=t.blocks("start.after"),
            begin=path(language, f"feedback/{FIRST}"), resume=resume,
        )  # fmt: skip

    def question(
        self,
        language: Language,
        page: Page,
        answers: Answers,
        token: str,
        *,
        found: Answers | None = None,
        wrong: Sequence[Wrong] = (),
        ended: bool = False,
        changing: bool = False,
    ) -> str:
        """A page of questions; with what was ``found`` on it and is ``wrong``, or where the session had ``ended`` before it was kept."""
        t = self.words[language]
        shown = {**answers, **(found or {})}
        title = t.get(f"pages.{page.name}.titles.{purpose(answers)}") or t(f"pages.{page.name}.title")
        faults = {each.field: self._fault(t, page, each) for each in wrong}
        errors = [
            {"text": faults[each.field], "href": f"#{each.field}{f'-{each.part}' if each.part else ''}"} for each in wrong
        ]
        if ended:
            errors = [{"text": t("faults.session"), "href": f"#{_first_id(page.fields[0])}"}]
        lead = t.get(f"pages.{page.name}.lead")
        if len(page.fields) == 1 and page.fields[0].optional:
            title += t("chrome.optional")
        fields = [self._field(t, each, shown, faults, wrong) for each in page.fields]
        if len(page.fields) == 1 and not lead:
            fields[0] |= {"heads": True, "label": title}
        return self._page(
            "question", language, f"feedback/{page.name}", title=title, lead=lead, errors=errors, token=token,
            fields=fields,
            back=path(language, CHECK) if changing else self._back(language, page.name, answers),
            action=path(language, f"feedback/{page.name}") + ("?change=1" if changing else ""),
        )  # fmt: skip

    def files(
        self,
        language: Language,
        answers: Answers,
        kept: Sequence[Attachment],
        token: str,
        *,
        wrong: Sequence[tuple[str, str]] = (),
        changing: bool = False,
    ) -> str:
        """The page of uploads; ``wrong`` are reasons, each with the name of a file where it is of one."""
        t = self.words[language]
        uploads = self._settings.uploads
        values = {
            "most_files": uploads.most_files,
            "most_megabytes": f"{uploads.most_bytes / 1_000_000:g}",
            "types": _either([_ENDINGS.get(each, each.upper()) for each in uploads.types], t("chrome.or")),
        }
        told = [t.get(f"pages.files.faults.{reason}", **values) or t("pages.files.faults.failed") for reason, _ in wrong]
        named = [f"{name}: {said}" if name else said for said, (_, name) in zip(told, wrong, strict=True)]
        return self._page(
            "files", language, f"feedback/{FILES}", title=t("pages.files.title"), token=token,
            errors=[{"text": each, "href": "#file"} for each in named],
            error=Markup("<br>").join(named) if named else None,
            hint=t("pages.files.hint", **values),
            kept=[{"name": each.name, "digest": each.digest, "size": _size(each.size)} for each in kept],
            back=path(language, CHECK) if changing else self._back(language, FILES, answers),
            action=path(language, f"feedback/{FILES}") + ("?change=1" if changing else ""),
        )  # fmt: skip

    def check(
        self, language: Language, answers: Answers, kept: Sequence[Attachment], token: str, *, form: str, fingerprint: str
    ) -> str:
        """All that was answered, before it is sent."""
        t = self.words[language]
        way = {page.name: page for page in asked(answers)}
        groups = [
            (t(f"check.{group}"), [row for name in names if name in way for row in self._rows(t, way[name], answers, kept)])
            for group, names in _GROUPS.items()
        ]
        notes: list[str] = []
        if "inaccurate-facts" in way and not any(answers.get(each) for each in CRITERIA):
            notes.append(t("check.no_criterion"))
        if not ways(answers):
            notes.append(t("check.no_way"))
        return self._page(
            "check", language, CHECK, title=t("check.title"), groups=groups, notes=notes, token=token, form=form,
            answers=fingerprint, back=self._back(language, CHECK, answers), action=path(language, CHECK),
        )  # fmt: skip

    def confirmation(self, language: Language, sent: Sent, token: str) -> str:
        """That we have it."""
        t = self.words[language]
        panel = Markup('{}<br><strong class="form-reference">{}</strong>').format(
            t("confirmation.reference"), reference(sent.contact)
        )
        return self._page(
            "confirmation", language, "confirmation", title=t("confirmation.title"), panel=panel, next=self._next(t, sent),
            add=self._add(t), token=token, save=path(language, "confirmation.txt"), action=path(language, "confirmation"),
        )  # fmt: skip

    def confirmation_as_text(self, language: Language, sent: Sent) -> str:
        """The same, to be saved."""
        t = self.words[language]
        return "\n\n".join(
            (
                t("confirmation.title"),
                f"{t('confirmation.reference')} {reference(sent.contact)}",
                *self._next(t, sent),
                t("confirmation.emergency"),
                self._add(t),
                self._organisation(language),
            )
        )

    def notice(self, language: Language, name: str) -> str:
        """The accessibility statement, the cookies page, or the privacy notice."""
        t = self.words[language]
        table = None
        if name == "cookies":
            expires = t("cookies.expires_after")
            table = {
                "caption": t("cookies.caption"),
                "captionClasses": "govuk-table__caption--m",
                "head": [{"text": t(f"cookies.{each}")} for each in ("name", "purpose", "expires")],
                "rows": [[{"text": self._cookie}, {"text": t("cookies.purpose_of_session")}, {"text": expires}]],
            }
        parts = t.blocks(f"{name}.body", version=version("contact-ingest"))
        return self._page("notice", language, name, title=t(f"{name}.title"), parts=parts, table=table)

    def problem(self, language: Language, name: str, rest: str, *ways: tuple[str, str], **more: str) -> str:
        """Why something was not done; ``ways`` are links by the name of their text."""
        t = self.words[language]
        links = [(t(f"problems.contact.{said}"), path(language, where)) for said, where in ways]
        parts = t.blocks(f"problems.{name}.body", **more)
        return self._page("problem", language, rest, title=t(f"problems.{name}.title"), parts=parts, ways=links)

    # What pages are made of

    def _page(self, template: str, language: Language, rest: str, **values: Any) -> str:
        other: Language = "en" if language == "cy" else "cy"
        return self._templates[template].render(
            t=self.words[language],
            organisation=self._organisation(language),
            telephone=self._settings.acknowledgement.telephone,
            assets=f"/assets/{self.version}",
            start=path(language),
            other=other,
            other_language=path(other, rest),
            **values,
        )

    def _organisation(self, language: Language) -> str:
        ours = self._settings.acknowledgement
        return ours.organisation_cy if language == "cy" else ours.organisation

    def _words(self, language: Language) -> Words:
        ours, account = self._settings.acknowledgement, self._account
        welsh = language == "cy"
        plain = Words(language, {})
        return Words(
            language,
            {
                "organisation": self._organisation(language),
                "telephone": ours.telephone or "",
                "emergency": ours.emergency,
                "listening": ours.listening_cy if welsh else ours.listening,
                "within": plain.span(ours.within),
                "next_step": ours.next_step_within_cy if welsh else ours.next_step_within,
                "review_within": account.review_within_cy if welsh else account.review_within,
                "contact": account.contact,
                "kept_for": plain.span(account.draft_kept_for),
            },
        )

    def _back(self, language: Language, page: str, answers: Answers) -> str:
        before = page_before(page, answers)
        return path(language, f"feedback/{before}") if before else path(language)

    def _fault(self, t: Words, page: Page, wrong: Wrong) -> str:
        field = next(each for each in page.fields if each.name == wrong.field)
        return t.fault(wrong.field, wrong.fault, wrong.most, words=field.kind == "words")

    def _field(
        self, t: Words, field: Field, shown: Answers, faults: Mapping[str, str], wrong: Sequence[Wrong]
    ) -> dict[str, Any]:
        """A field as its template has it."""
        own = f"fields.{field.name}"
        value: Answer = shown.get(field.name, ())
        written = visible(value) if isinstance(value, str) and hides_words(value) else value or ""
        ticked = value if isinstance(value, tuple) else (value,)
        label = t.get(f"{own}.question") or t(f"{own}.label")
        return {
            "name": field.name,
            "kind": field.kind,
            "heads": False,
            "label": label,
            "hint": t.get(f"{own}.hint"),
            "error": faults.get(field.name),
            "value": written,
            "most": field.most,
            "looks": field.looks,
            "purpose": field.purpose,
            "width": field.width,
            "choices": [
                {
                    "value": each,
                    "text": t(f"{own}.choices.{each}"),
                    "checked": each in ticked,
                    "hint": {"text": hint} if (hint := t.get(f"{own}.hints.{each}")) else None,
                }
                for each in (ways(shown) if field.name == "reply" else field.choices)
            ],
            "parts": self._parts(t, field, str(written), wrong) if field.kind == "date" else (),
        }

    def _parts(self, t: Words, field: Field, value: str, wrong: Sequence[Wrong]) -> list[dict[str, Any]]:
        """The three boxes of a date."""
        given = _day_month_year(value)
        faulty = {
            part for each in wrong if each.field == field.name for part in (_PARTS if each.fault in _WHOLE else _in(each.fault))
        }
        return [
            {
                "name": part,
                "label": t(f"chrome.{part}"),
                "value": visible(text),
                "autocomplete": f"{field.purpose}-{part}" if field.purpose else None,
                "classes": f"govuk-input--width-{4 if part == 'year' else 2}"
                + (" govuk-input--error" if part in faulty else ""),
            }
            for part, text in zip(_PARTS, given, strict=True)
        ]

    def _rows(self, t: Words, page: Page, answers: Answers, kept: Sequence[Attachment]) -> Iterable[dict[str, Any]]:
        sent = to_send(answers)
        for field in page.fields:
            answer = sent.get(field.name, "")
            if page.name == FILES:
                told = "\n".join(each.name for each in kept) or t("check.files_none")
            elif field.kind in ("choice", "choices"):
                chosen = answer if isinstance(answer, tuple) else (answer,)
                told = "\n".join(t(f"fields.{field.name}.choices.{each}") for each in chosen if each)
            elif field.kind == "date" and answer:
                told = "/".join(_day_month_year(str(answer)))
            else:
                told = str(answer)
            if field.name == "no_address" and not told:
                continue
            label = t(f"fields.{field.name}.label")
            yield {
                "label": label,
                "label_lower": label[:1].lower() + label[1:],
                "answer": visible(told),
                "hides": hides_words(told),
                "change": path(t.language, f"feedback/{page.name}?change=1#{_first_id(field)}"),
            }

    def _next(self, t: Words, sent: Sent) -> list[str]:
        due = acknowledgement_due(sent.at, self._settings.acknowledgement).at
        said = [t("confirmation.acknowledged", by=t.by(_whole_minutes(due.astimezone(self._zone))))] if sent.can_reply else []
        return [*said, t(f"confirmation.{sent.purpose}"), *([] if sent.can_reply else [t("confirmation.no_way")])]

    def _add(self, t: Words) -> str:
        ring = t("confirmation.add_telephone") if self._settings.acknowledgement.telephone else ""
        return f"{t('confirmation.add')}{ring}."


_PARTS: Final = ("day", "month", "year")
_WHOLE: Final = ("not-real", "future", "lacks-day-month-year")


def _in(fault: str) -> tuple[str, ...]:
    return tuple(each for each in _PARTS if each in fault)


def _day_month_year(value: str) -> tuple[str, ...]:
    """A date as it is kept, or as it was written, in its three parts."""
    if found := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", value):
        return str(int(found[3])), str(int(found[2])), found[1]
    parts = value.split("/")
    return tuple(parts) if len(parts) == 3 else ("", "", "")


def _either(names: Sequence[str], word: str) -> str:
    *first, last = names
    return word.join([", ".join(first), last]) if first else last


def _first_id(field: Field) -> str:
    return f"{field.name}-day" if field.kind == "date" else "file" if field.name == "files_done" else field.name


def _whole_minutes(moment: datetime) -> datetime:
    """Never later than was promised."""
    return moment.replace(second=0, microsecond=0)


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f}MB" if size >= 100_000 else f"{max(1, round(size / 1000))}KB"
