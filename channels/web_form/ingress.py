"""The form's way in: its pages answered, its answers kept as a draft, and sent once.

A page that is posted must carry the token of a page that was made for the same session, and a session is a cookie of our own. What is sent
becomes a contact by ``receive`` before anybody is told that we have it; the same answers sent again come to the same contact and the
same page, others are refused. What a program seems to have filled in is taken like any other, and says so.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from channels.web_form.drafts import Draft, Drafts, Sent, begin
from channels.web_form.limits import Limit
from channels.web_form.pages import Pages, path, read_assets
from channels.web_form.questions import BY_NAME, CHECK, FILES, Page, asked, may_see, next_page, purpose, to_send, validate, ways
from channels.web_form.seal import Seals, Session, Token
from channels.web_form.settings import FormAccount
from channels.web_form.translate import fingerprint, original_of, translate
from channels.web_form.words import LANGUAGES, Language
from ingest.clock import Clock
from ingest.contract import Attachment, Contact
from ingest.database import Database
from ingest.errors import Misconfigured, Refused
from ingest.finding import Finding
from ingest.ids import reference, replies_to
from ingest.receive import Arrival
from ingest.settings import Settings
from ingest.together import Together
from ingest.uploads import Uploads
from ingest.web import Declined, Door, Fault, Route, trace_in

Arrive = Callable[..., Awaitable[list[Contact]]]
"""``receive``, with all that it leans on."""

_MOST_FIELDS: Final = 60
_MOST_FILES: Final = 50
_STARTS_A_FORM: Final = 4  # of those who begin, not all come to the end
_TRAP: Final = "website"
_NOTICES: Final = ("accessibility", "cookies", "privacy")
_PROBLEMS: Final[Mapping[int, str]] = {
    400: "not-read", 403: "forbidden", 404: "not-found", 405: "not-found", 408: "not-read", 413: "too-large", 415: "not-read",
    422: "not-read", 503: "unavailable",
}  # fmt: skip
_FOREVER: Final = "public, max-age=31536000, immutable"

_FORBIDDEN: Final = Fault(403, "not-from-our-page", "The page was not one that we made for this session.")
_SENT_ALREADY: Final = "sent-already"
_CHANGED: Final = "changed"
_TOO_MANY: Final = "too-many"

T = TypeVar("T")


def door(name: str, account: FormAccount, **leaned_on: Any) -> Door:
    """The form's pages on the public port, and what goes on beside them: of a ``Form`` made of the same.

    Raises Misconfigured where its assets are not built.
    """
    form = Form(name, account, **leaned_on)
    return Door(form.routes(), form.explain, beside=form.drafts.run)


async def look(name: str, _account: FormAccount, *, settings: Settings, **_: Any) -> list[Finding]:
    """Whether the form's pages can be shown, and where they are."""
    about = f"channels.web_form.{name}"
    try:
        read_assets()
    except Misconfigured as error:
        return [Finding(about, False, error.sentence)]
    return [Finding(about, True, f"Its pages are on {settings.web.public_url}/ and {settings.web.public_url}/cy.")]


@dataclass(frozen=True, slots=True)
class _Posted:
    """What was posted: by whom, from which page of ours, and its fields."""

    session: Session
    token: Token
    fields: FormData
    ended: bool = False
    """The page was made for a session that is over; this is a new one."""


@dataclass(frozen=True, slots=True)
class _Sending:
    """One form on its way: what it comes to, and what its draft becomes once it is kept."""

    session: Session
    draft: Draft
    arrival: Arrival
    sent: Callable[[UUID], Sent]


class Form:
    """One form: its settings, and all that it leans on."""

    def __init__(
        self,
        name: str,
        account: FormAccount,
        *,
        arrive: Arrive,
        database: Database,
        clock: Clock,
        settings: Settings,
        uploads: Uploads,
        **_: Any,
    ) -> None:
        key = settings.own_key
        self._key = key
        self._name = name
        self._account = account
        self._arrive = arrive
        self._clock = clock
        self._settings = settings
        self._uploads = uploads
        self._secure = settings.web.public_url.startswith("https://")
        self._cookie = "__Host-form" if self._secure else "form"
        self._seals = Seals(key)
        self._pages = Pages(account, settings, self._cookie)
        self._starts = Limit(account.most_an_hour * _STARTS_A_FORM)
        self._submissions = Limit(account.most_an_hour)
        self._send = Together(self._sent_together)
        self.drafts = Drafts(database, key, account.draft_kept_for, clock)

    def routes(self) -> list[Route]:
        """Every page in each language, and what they refer to."""
        found: list[Route] = [("GET", "/assets/{version}/{name}", self.asset), ("GET", "/cy/", self.as_people_type_it)]
        for each in LANGUAGES:
            in_this: tuple[tuple[str, str, Callable[..., Awaitable[Response]]], ...] = (
                ("GET", "", self.start),
                ("GET", "feedback/{page}", self.ask),
                ("POST", "feedback/{page}", self.answer),
                ("GET", CHECK, self.check),
                ("POST", CHECK, self.send),
                ("GET", "confirmation", self.confirmation),
                ("GET", "confirmation.txt", self.confirmation_as_text),
                ("POST", "confirmation", self.leave),
                *(("GET", name, partial(self.notice, name)) for name in _NOTICES),
            )
            found += [(method, path(each, rest), _spoken(answer, each)) for method, rest, answer in in_this]
        return found

    # Pages that are read

    async def asset(self, request: Request) -> Response:
        """A stylesheet, script or picture, under a name that changes with what is in it."""
        found = self._pages.assets.get(request.path_params["name"])
        if found is None or request.path_params["version"] != self._pages.version:
            raise _not_found()
        return Response(found.content, media_type=found.content_type, headers={"cache-control": _FOREVER})

    async def as_people_type_it(self, _: Request) -> Response:
        """The Welsh start page has no slash at its end."""
        return self._to(path("cy"))

    async def start(self, language: Language, request: Request) -> Response:
        """What the form is for."""
        if token := request.query_params.get("reply"):
            return await self._followed(language, request, token)
        session = self._session(request)
        draft = await self.drafts.get(session) if session else None
        resume = _page_path(language, next_page(draft.answers)) if draft and draft.answers and not draft.sent else None
        return self._html(self._pages.start(language, resume))

    async def _followed(self, language: Language, request: Request, token: str) -> Response:
        """A link of ours, kept with the answers to come, and out of the address again; one that is not ours is the page and no more."""
        here, now = self._to(path(language)), self._clock()
        if replies_to(self._key, token, now) is None:
            return here
        session = self._session(request)
        draft = await self.drafts.get(session) if session else None
        if session is None or (draft and draft.sent):
            session, draft = self._new_session(), None
        if draft is None:
            self._limited(self._starts, request)

        def kept(draft: Draft | None) -> Draft:
            draft = draft or begin(now)
            return draft if draft.sent else replace(draft, reply=token)

        await self.drafts.change(session, kept)
        return self._with_session(here, session)

    async def notice(self, name: str, language: Language, request: Request) -> Response:  # noqa: ARG002 - as every page
        """A page to read."""
        return self._html(self._pages.notice(language, name))

    async def ask(self, language: Language, request: Request) -> Response:
        """A page of questions, once those before it are answered."""
        page = _page(request)
        session = self._session(request) or self._new_session()
        draft = await self.drafts.get(session)
        if draft and draft.sent:
            return self._to(path(language, "confirmation"))
        answers = draft.answers if draft else {}
        if not may_see(page.name, answers):
            return self._with_session(self._to(_page_path(language, next_page(answers))), session)
        token, changing = self._seals.token(session, self._clock()), "change" in request.query_params
        if page.name == FILES:
            shown = self._pages.files(language, answers, await self._kept(session), token, changing=changing)
        else:
            shown = self._pages.question(language, page, answers, token, changing=changing)
        return self._with_session(self._html(shown), session)

    async def check(self, language: Language, request: Request) -> Response:
        """All that was answered."""
        session = self._session(request)
        draft = await self.drafts.get(session) if session else None
        if session is None or draft is None:
            return self._to(path(language))
        if draft.sent:
            return self._to(path(language, "confirmation"))
        if (wanted := next_page(draft.answers)) != CHECK:
            return self._to(_page_path(language, wanted))
        kept = await self._kept(session)
        shown = self._pages.check(
            language,
            draft.answers,
            kept,
            self._seals.token(session, self._clock()),
            form=draft.token,
            fingerprint=fingerprint(to_send(draft.answers), kept),
        )
        return self._with_session(self._html(shown), session)

    async def confirmation(self, language: Language, request: Request) -> Response:
        """That we have it, for as long as the session knows."""
        session, sent = await self._sent(request)
        if session is None or sent is None:
            return self._to(path(language))
        return self._html(self._pages.confirmation(language, sent, self._seals.token(session, self._clock())))

    async def confirmation_as_text(self, language: Language, request: Request) -> Response:
        """The same, to be saved."""
        _, sent = await self._sent(request)
        if sent is None:
            return self._to(path(language))
        name = f"{self._pages.words[language]('confirmation.file_name')}-{reference(sent.contact)}.txt"
        disposition = {"content-disposition": f'attachment; filename="{name}"'}
        return PlainTextResponse(self._pages.confirmation_as_text(language, sent), headers=disposition)

    # Pages that are posted

    async def answer(self, language: Language, request: Request) -> Response:
        """Keep what was answered on one page, and go on to the next."""
        page = _page(request)
        posted = await self._posted(request)
        draft = None if posted.ended else await self.drafts.get(posted.session)
        if draft and draft.sent:
            return self._sent_already(language, draft.sent)
        answers, changing = draft.answers if draft else {}, "change" in request.query_params
        token = self._seals.token(posted.session, self._clock())
        if page.name == FILES and posted.ended:
            raise Declined(_FORBIDDEN)
        if page.name == FILES:
            return await self._files(language, posted, answers, token, changing=changing)
        submitted = {name: [each for each in posted.fields.getlist(name) if isinstance(each, str)] for name in posted.fields}
        found, wrong = validate(page, submitted, answers, self._today())
        if wrong or posted.ended:
            shown = self._pages.question(
                language, page, answers, token, found=found, wrong=wrong, ended=posted.ended, changing=changing
            )
            return self._with_session(self._html(shown, 403 if posted.ended else 422), posted.session)
        if draft is None:
            self._limited(self._starts, request)
        draft = await self.drafts.change(posted.session, partial(self._with, posted, found))
        if draft.sent:
            return self._sent_already(language, draft.sent)
        if "files_done" in draft.answers:
            await self._uploads.touch(_owner(posted.session))
        return self._with_session(self._to(_page_path(language, self._next(page, draft, changing=changing))), posted.session)

    async def send(self, language: Language, request: Request) -> Response:
        """Send it. The answer is given only once the contact is kept, and is the same however often the same is sent."""
        posted = await self._posted(request)
        draft = None if posted.ended else await self.drafts.get(posted.session)
        if draft is None:
            raise Declined(_FORBIDDEN)
        shown = posted.fields.get("form"), posted.fields.get("answers")
        if draft.sent:
            return self._sent_before(language, shown, draft.token, draft.sent)
        kept = await self._kept(posted.session)
        answers = to_send(draft.answers)
        mark = fingerprint(answers, kept)
        if shown != (draft.token, mark):
            # Its files are let go of once it was sent, which the same form may have been a moment ago.
            draft = await self.drafts.get(posted.session)
            if draft and draft.sent:
                return self._sent_before(language, shown, draft.token, draft.sent)
            return self._html(self._pages.problem(language, _CHANGED, CHECK, ("check", CHECK)), 409)
        if (wanted := next_page(draft.answers)) != CHECK:
            return self._to(_page_path(language, wanted))
        self._limited(self._submissions, request)
        now = self._clock()
        suspicions = self._suspicions(posted, draft, now)
        original = original_of(draft.token, answers, kept, language=language, suspicions=suspicions, reply=draft.reply)
        arrival = Arrival(original, partial(translate, account=self._name, received_at=now), trace=trace_in(request))
        sent = partial(Sent, at=now, answers=mark, purpose=purpose(answers), can_reply=bool(ways(answers)))
        await self._send(_Sending(posted.session, draft, arrival, sent))
        if kept:
            await self._uploads.forget(_owner(posted.session), *(each.digest for each in kept))
        return self._with_session(self._to(path(language, "confirmation")), posted.session)

    async def _sent_together(self, batch: Sequence[_Sending]) -> list[Exception | None]:
        async def note(connection: AsyncConnection, contacts: Sequence[Contact]) -> None:
            done = [
                (each.session, partial(_done, each.draft, each.sent(contact.id)))
                for each, contact in zip(batch, contacts, strict=True)
            ]
            await self.drafts.change_within(connection, done)

        await self._arrive([each.arrival for each in batch], beside=note)
        return [None] * len(batch)

    async def leave(self, language: Language, request: Request) -> Response:
        """Take the confirmation off this device; then begin again, where that is what they want."""
        posted = await self._posted(request)
        if not posted.ended:
            await self.drafts.forget(posted.session)
        again = posted.fields.get("then") == "again"
        response = self._to(_page_path(language, next_page({})) if again else path(language))
        response.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="lax")
        return response

    def explain(self, request: Request, fault: Fault) -> Response:
        """What went wrong, as a page."""
        where = request.scope["path"]
        language: Language = "cy" if where == "/cy" or where.startswith("/cy/") else "en"
        rest = where.removeprefix("/cy").strip("/") if request.method == "GET" and fault.status == 503 else ""
        if fault.reason == _TOO_MANY:
            wait = self._pages.words[language].span(timedelta(seconds=int(fault.headers["retry-after"])))
            return self._html(self._pages.problem(language, _TOO_MANY, "", ("again", CHECK), wait=wait), 503)
        name = _PROBLEMS.get(fault.status, "failed")
        at_the_end = where.endswith(f"/{CHECK}")
        link = ("again", CHECK if at_the_end else rest) if fault.status == 503 or at_the_end else ("start", "")
        return self._html(self._pages.problem(language, name, rest, link), fault.status)

    # Files

    async def _files(
        self, language: Language, posted: _Posted, answers: Mapping[str, Any], token: str, *, changing: bool
    ) -> Response:
        owner = _owner(posted.session)
        here = _page_path(language, FILES) + ("?change=1" if changing else "")
        if isinstance(unwanted := posted.fields.get("remove"), str):
            await self._uploads.forget(owner, unwanted)
            return self._with_session(self._to(here), posted.session)
        given = [each for each in posted.fields.getlist("file") if isinstance(each, UploadFile) and each.filename]
        wrong: list[tuple[str, str]] = []
        for each in given:
            try:
                await self._uploads.keep(owner, each.filename or "", each.content_type or "", await each.read())
            except Refused as error:
                wrong.append((error.reason, each.filename or "" if len(given) > 1 else ""))
        if not given and "add" in posted.fields:
            wrong.append(("missing", ""))
        if wrong:
            shown = self._pages.files(language, answers, await self._uploads.kept(owner), token, wrong=wrong, changing=changing)
            return self._with_session(self._html(shown, 422), posted.session)
        if "add" in posted.fields:
            return self._with_session(self._to(f"{here}#added"), posted.session)
        draft = await self.drafts.change(posted.session, partial(self._with, posted, {"files_done": ""}))
        if draft.sent:
            return self._sent_already(language, draft.sent)
        page = BY_NAME[FILES]
        return self._with_session(self._to(_page_path(language, self._next(page, draft, changing=changing))), posted.session)

    async def _kept(self, session: Session) -> list[Attachment]:
        return await self._uploads.kept(_owner(session))

    # Sessions and drafts

    def _session(self, request: Request) -> Session | None:
        return self._seals.session(request.cookies.get(self._cookie), self._clock(), self._account.draft_kept_for)

    def _new_session(self) -> Session:
        """Never one that a browser came with: whoever planted it could read what is written under it."""
        return Session(secrets.token_urlsafe(32), self._clock())

    def _with_session(self, response: Response, session: Session) -> Response:
        """Each answer begins the session's time anew, as it does the draft's."""
        response.set_cookie(
            self._cookie,
            self._seals.cookie(Session(session.secret, self._clock())),
            max_age=int(self._account.draft_kept_for.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return response

    async def _posted(self, request: Request) -> _Posted:
        """What was posted from a page of ours. Raises Declined."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Declined(_FORBIDDEN)
        fields = await _fields(request)
        written = fields.get("token")
        token = self._seals.opened(written if isinstance(written, str) else None)
        if token is None:
            raise Declined(_FORBIDDEN)
        session = self._session(request)
        if session is not None and session.name == token.session:
            return _Posted(session, token, fields)
        if session is None and self._clock() - token.made < self._account.draft_kept_for:
            raise Declined(_FORBIDDEN)  # the cookie is as old as the page at most: it was never kept, or is somebody else's
        return _Posted(session or self._new_session(), token, fields, ended=True)

    async def _sent(self, request: Request) -> tuple[Session | None, Sent | None]:
        session = self._session(request)
        draft = await self.drafts.get(session) if session else None
        return session, draft.sent if draft else None

    def _with(self, posted: _Posted, found: Mapping[str, Any], draft: Draft | None) -> Draft:
        """The draft with what was answered on one page; what was sent stays as it was sent."""
        draft = draft or begin(posted.token.made)
        if draft.sent:
            return draft
        return replace(draft, answers={**draft.answers, **found}, trapped=draft.trapped or _is_trapped(posted.fields))

    def _suspicions(self, posted: _Posted, draft: Draft, now: datetime) -> list[str]:
        """Why a person may not have filled it in."""
        found: list[str] = []
        if draft.trapped or _is_trapped(posted.fields):
            found.append("a field was filled in that people do not see")
        if now - draft.begun < self._account.quickest:
            found.append("it was filled in faster than a person reads it")
        return found

    # Answers

    def _next(self, page: Page, draft: Draft, *, changing: bool) -> str:
        on_the_way = page.name in {each.name for each in asked(draft.answers)} and may_see(page.name, draft.answers)
        return next_page(draft.answers, None if changing or not on_the_way else page.name)

    def _today(self) -> Any:
        return self._clock().astimezone(ZoneInfo(self._settings.outgoing.time_zone)).date()

    def _limited(self, limit: Limit, request: Request) -> None:
        """Raises Declined where their network has to wait."""
        wait = limit.wait(request.client.host if request.client else "", self._clock())
        if wait is not None:
            seconds = str(int(wait.total_seconds()) + 1)
            raise Declined(Fault(503, _TOO_MANY, "Much has come from this network.", {"retry-after": seconds}))

    def _sent_before(self, language: Language, shown: tuple[Any, Any], form: str, sent: Sent) -> Response:
        """The same page to the same answers; to others, that they come too late."""
        if shown == (form, sent.answers):
            return self._to(path(language, "confirmation"))
        return self._sent_already(language, sent)

    def _sent_already(self, language: Language, sent: Sent) -> Response:
        link = ("confirmation", "confirmation")
        return self._html(self._pages.problem(language, _SENT_ALREADY, "", link, reference=reference(sent.contact)), 409)

    def _html(self, shown: str, status: int = 200) -> Response:
        body = shown.encode("utf-8", "replace")
        return HTMLResponse(body, status, headers={"content-security-policy": self._pages.policy})

    def _to(self, where: str) -> Response:
        """On to a page of ours: never to what somebody else has named."""
        return RedirectResponse(where, 303)


def _done(as_sent: Draft, sent: Sent, draft: Draft | None) -> Draft:
    """What is left of a draft that was sent: its answers are ours by now, and of no more use there. Of two at once the first stands."""
    return draft if draft and draft.sent else replace(draft or as_sent, answers={}, reply=None, sent=sent)


def _spoken(
    answer: Callable[[Language, Request], Awaitable[Response]], language: Language
) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return await answer(language, request)

    return page


def _page(request: Request) -> Page:
    page = BY_NAME.get(request.path_params["page"])
    if page is None:
        raise _not_found()
    return page


def _not_found() -> Declined:
    return Declined(Fault(404, "not-found", "There is nothing here."))


def _page_path(language: Language, page: str) -> str:
    return path(language, CHECK if page == CHECK else f"feedback/{page}")


def _owner(session: Session) -> str:
    return f"web_form:{session.name}"


def _is_trapped(fields: FormData) -> bool:
    return any(bool(each) for each in fields.getlist(_TRAP))


async def _fields(request: Request) -> FormData:
    """What was posted. Raises Declined where it did not come as a whole, or is no form."""
    body = await request.body()
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() == "multipart/form-data":
        boundary = parameters.rpartition("boundary=")[2].partition(";")[0].strip().strip('"')
        # What comes after a part that does not end is dropped by the parser without a word.
        if not boundary or not body.rstrip(b"\r\n").endswith(f"--{boundary}--".encode("latin-1", "replace")):
            raise Declined(Fault(400, "malformed", "The form did not come as a whole."))
    elif kind.strip().lower() != "application/x-www-form-urlencoded":
        raise Declined(Fault(415, "malformed", "This is no form."))
    return await request.form(max_fields=_MOST_FIELDS, max_files=_MOST_FILES, max_part_size=1_000_000)
