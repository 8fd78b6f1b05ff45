"""Somebody who fills in the online form over HTTP, page by page, for the demo: what a browser without JavaScript would send."""

import re
from collections.abc import Mapping
from html import unescape
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

_SECONDS: Final = 20.0
_MOST_PAGES: Final = 40
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_REFERENCE: Final = re.compile(r"\bCC-[0-9A-Z]{5}-[0-9A-Z]{5}\b")


def fill_in(url: str, answers: Mapping[str, str | tuple[str, ...]]) -> str:
    """Answer every page that is asked, send the form, and give the reference that the confirmation shows.

    ``answers`` are by the names of the form's fields; what is not among them stays empty. Raises OSError where the form does not
    answer, ValueError where it does not come to an end.
    """
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    def post(where: str, fields: Mapping[str, str | tuple[str, ...]]) -> tuple[str, str]:
        return _seen(browser.open(where, urlencode(fields, doseq=True).encode(), timeout=_SECONDS))

    where, page = _seen(browser.open(f"{url}/feedback/purpose", timeout=_SECONDS))
    for _ in range(_MOST_PAGES):
        if urlsplit(where).path == "/confirmation" and (found := _REFERENCE.search(page)):
            return found[0]
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(page)}
        # The honest half of the page: a field that people do not see stays empty.
        own = {name: each for name, each in answers.items() if f'name="{name}"' in page}
        where, page = post(where, {**hidden, **own} if not where.endswith("/files") else {**hidden, "go": "on"})
    raise ValueError(f"The form did not come to its end; it stopped at {urlsplit(where).path}.")


def _seen(answer: object) -> tuple[str, str]:
    with answer:  # type: ignore[attr-defined]
        return answer.url, answer.read().decode()  # type: ignore[attr-defined]
