"""Only the portal's own requests are believed, by Standard Webhooks or by the HMAC that a portal has instead."""

import base64
import hmac as hmac_
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from standardwebhooks.webhooks import Webhook

from channels.social.settings import Hmac, SocialAccount
from channels.social.verify import sign, verify
from ingest.errors import Refused

# libraries/python/tests/test_webhooks.py in github.com/standard-webhooks/standard-webhooks at b2fa7b8, test_sign_function; the other
# languages' tests have the same.
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
WRONG = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="  # test_multi_sig_payload_is_valid there
HEADERS = {"webhook-id": EVENT, "webhook-timestamp": "1614265330", "webhook-signature": PUBLISHED}


def account(**changed: Any) -> SocialAccount:
    return SocialAccount.model_validate({"secret": KEY, **changed})


def known_as(headers: Mapping[str, str], body: bytes = BODY, at: datetime = AT, given: SocialAccount | None = None) -> str:
    return verify(body, headers.items(), given or account(), at)


def refusal(headers: Mapping[str, str], body: bytes = BODY, at: datetime = AT, given: SocialAccount | None = None) -> str:
    with pytest.raises(Refused) as refused:
        known_as(headers, body, at, given)
    return refused.value.reason


def test_the_published_example_is_believed_and_known_by_its_id():
    assert known_as(HEADERS) == EVENT


def test_what_we_sign_is_what_the_published_example_reads():
    assert sign(BODY, EVENT, account(), AT) == HEADERS


@pytest.mark.parametrize(
    "signatures",
    [
        f"{WRONG} {WRONG.replace('v1,', 'v2,')} {PUBLISHED} {WRONG}",
        f"{WRONG} {PUBLISHED}",
        f"v1a,{PUBLISHED[3:]} {PUBLISHED}",
        f"nonsense , {PUBLISHED}",
    ],
)
def test_of_several_signatures_one_that_is_right_is_enough(signatures: str):
    assert known_as(HEADERS | {"webhook-signature": signatures}) == EVENT


@pytest.mark.parametrize(
    "signatures", [WRONG, PUBLISHED.replace("v1,", "v2,"), PUBLISHED.replace("v1,", "v1a,"), "v1,", "v1", ",", "\xff"]
)
def test_of_several_signatures_none_that_is_right_is_none(signatures: str):
    assert refusal(HEADERS | {"webhook-signature": f"{signatures} {WRONG}"}) == "signature-wrong"


@pytest.mark.parametrize("missing", list(HEADERS))
def test_a_request_without_one_of_the_three_headers_is_refused(missing: str):
    assert refusal({name: value for name, value in HEADERS.items() if name != missing}) == "signature-missing"


@pytest.mark.parametrize("twice", list(HEADERS))
def test_a_header_that_stands_twice_is_refused_since_a_proxy_may_have_believed_the_other(twice: str):
    with pytest.raises(Refused, match="once"):
        verify(BODY, [*HEADERS.items(), (twice, HEADERS[twice])], account(), AT)


@pytest.mark.parametrize("age", [301, -301, 7_200])
def test_a_signature_older_or_newer_than_five_minutes_is_stale(age: int):
    assert refusal(HEADERS, at=AT + timedelta(seconds=age)) == "signature-stale"


@pytest.mark.parametrize("age", [299, -299, 0])
def test_a_signature_within_five_minutes_either_way_is_not(age: int):
    assert known_as(HEADERS, at=AT + timedelta(seconds=age)) == EVENT


def test_how_stale_a_signature_may_be_is_a_setting():
    assert known_as(HEADERS, at=AT + timedelta(minutes=9), given=account(tolerance="10m")) == EVENT


def test_29_the_same_json_written_anew_has_another_signature():
    assert refusal(HEADERS, body=b'{"test":2432232314}') == "signature-wrong"


@pytest.mark.parametrize("changed", [{"webhook-id": "msg_other"}, {"webhook-timestamp": "1614265331"}])
def test_the_id_and_the_time_are_signed_as_the_body_is(changed: dict[str, str]):
    assert refusal(HEADERS | changed) == "signature-wrong"


@pytest.mark.parametrize("told", ["hello", "1614265330.5", "-1", "9" * 30, "１６１４２６５３３０", "1e9", "NaN", ""])
def test_a_time_that_is_not_whole_seconds_is_refused(told: str):
    assert refusal(HEADERS | {"webhook-timestamp": told}) == "signature-missing"


def test_while_one_key_takes_the_others_place_both_are_believed_and_the_first_signs_ours():
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    both = account(secret=SecretStr(f"{new} {KEY}"))
    assert known_as(HEADERS, given=both) == EVENT
    assert sign(BODY, EVENT, both, AT)["webhook-signature"] == Webhook(new).sign(EVENT, AT, BODY.decode())


def test_a_portal_that_signs_with_a_key_of_its_own_is_known_by_the_public_half():
    private = Ed25519PrivateKey.generate()
    public = account(secret=SecretStr("whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()))
    signed = base64.b64encode(private.sign(f"{EVENT}.1614265330.".encode() + BODY)).decode()
    assert known_as(HEADERS | {"webhook-signature": f"{PUBLISHED} v1a,{signed}"}, given=public) == EVENT
    assert refusal(HEADERS, given=public) == "signature-wrong"
    assert refusal(HEADERS | {"webhook-signature": f"v1a,{signed}"}, body=b"{}", given=public) == "signature-wrong"
    for nonsense in ("v1a,", "v1a,?", "v1a,aaaa", f"v1,{signed}", "v1a," + base64.b64encode(b"\0" * 64).decode()):
        assert refusal(HEADERS | {"webhook-signature": nonsense}, given=public) == "signature-wrong"


@given(
    st.dictionaries(st.sampled_from(list(HEADERS)), st.text(st.characters(max_codepoint=255), max_size=80)),
    st.binary(max_size=50),
)
def test_no_headers_are_too_bad_to_be_refused(headers: dict[str, str], body: bytes):
    assert refusal({**HEADERS, "webhook-signature": WRONG, **headers}, body).startswith("signature-")


@given(st.binary(max_size=200).map(lambda each: each.decode("utf-8", "ignore")), st.integers(1_000_000_000, 4_000_000_000))
def test_what_the_packages_own_signs_is_believed_and_ours_is_the_same(body: str, seconds: int):
    at = datetime.fromtimestamp(seconds, UTC)
    signed = Webhook(KEY).sign("msg_1", at, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(seconds), "webhook-signature": signed}
    assert known_as(headers, body.encode(), at) == "msg_1"
    assert sign(body.encode(), "msg_1", account(), at) == headers


# A portal with a scheme of its own.

# docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
GITHUB = account(secret=SecretStr("It's a Secret to Everybody"), hmac=Hmac(header="X-Hub-Signature-256", prefix="sha256="))
GITHUB_SIGNATURE = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
# api.slack.com, "Verifying requests from Slack", step by step.
SLACK = account(
    secret=SecretStr("8f742231b10e8888abcd99yyyzzz85a5"),
    hmac=Hmac(
        header="X-Slack-Signature", prefix="v0=", signed="v0:{timestamp}:{body}", timestamp_header="X-Slack-Request-Timestamp"
    ),
)
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
    b"&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F"
    b"397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_HEADERS = {
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "x-slack-request-timestamp": "1531420618",
}
SLACK_AT = datetime.fromtimestamp(1531420618, UTC)


def test_githubs_published_example_is_one_of_the_schemes_there_can_be():
    known_as(GITHUB_SIGNATURE, b"Hello, World!", given=GITHUB)
    assert refusal(GITHUB_SIGNATURE, b"Hello, World", given=GITHUB) == "signature-wrong"
    assert refusal({"x-hub-signature-256": GITHUB_SIGNATURE["x-hub-signature-256"][7:]}, b"Hello, World!", given=GITHUB) == (
        "signature-wrong"
    )
    assert refusal({}, b"Hello, World!", given=GITHUB) == "signature-missing"


def test_slacks_published_example_is_another_with_its_time_under_the_signature():
    known_as(SLACK_HEADERS, SLACK_BODY, SLACK_AT, SLACK)
    assert refusal(SLACK_HEADERS, SLACK_BODY, SLACK_AT + timedelta(minutes=6), SLACK) == "signature-stale"
    assert refusal(SLACK_HEADERS, SLACK_BODY, SLACK_AT - timedelta(minutes=6), SLACK) == "signature-stale"
    later = SLACK_HEADERS | {"x-slack-request-timestamp": "1531420619"}
    assert refusal(later, SLACK_BODY, SLACK_AT, SLACK) == "signature-wrong"
    assert (
        refusal({"x-slack-signature": SLACK_HEADERS["x-slack-signature"]}, SLACK_BODY, SLACK_AT, SLACK) == "signature-missing"
    )


def test_a_retry_of_the_same_body_is_known_by_the_same_name():
    once, again = (known_as(GITHUB_SIGNATURE, b"Hello, World!", AT + timedelta(days=each), GITHUB) for each in (0, 1))
    assert once == again


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("milliseconds", [False, True])
def test_algorithm_encoding_and_template_are_as_the_settings_say(algorithm: str, encoding: str, milliseconds: bool):
    scheme = Hmac.model_validate(
        {
            "header": "Signature", "algorithm": algorithm, "encoding": encoding, "signed": "{timestamp}.{body}",
            "timestamp_header": "Sent-At",
        }
    )  # fmt: skip
    told = str(int(AT.timestamp()) * (1000 if milliseconds else 1))
    made = hmac_.new(b"a secret of the portal's", f"{told}.".encode() + BODY, algorithm).digest()
    written = made.hex().upper() if encoding == "hex" else base64.b64encode(made).decode()
    given = account(secret=SecretStr("a secret of the portal's"), hmac=scheme)
    known_as({"signature": written, "sent-at": told}, given=given)
    assert refusal({"signature": written, "sent-at": told}, BODY + b" ", given=given) == "signature-wrong"
    assert refusal({"signature": written, "sent-at": told}, at=AT + timedelta(minutes=6), given=given) == "signature-stale"
    known_as({name.lower(): value for name, value in sign(BODY, "1", given, AT).items()}, given=given)


@given(st.dictionaries(st.sampled_from(list(SLACK_HEADERS)), st.text(st.characters(max_codepoint=255), max_size=80)))
def test_no_headers_are_too_bad_for_another_scheme_either(headers: dict[str, str]):
    assert refusal({**SLACK_HEADERS, **headers}, b"{}", SLACK_AT, SLACK).startswith("signature-")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"secret": SecretStr("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}, "begins with whsec_"),
        ({"secret": SecretStr("whsec_!!!!")}, "not base64"),
        ({"secret": SecretStr("whsec_" + base64.b64encode(b"x" * 23).decode())}, "23 bytes"),
        ({"secret": SecretStr("whsec_" + base64.b64encode(b"x" * 65).decode())}, "65 bytes"),
        ({"secret": SecretStr("whpk_" + base64.b64encode(b"x" * 31).decode())}, "31 bytes"),
        ({"secret": SecretStr("  ")}, "there is none"),
        (
            {
                "secret": SecretStr("whpk_" + base64.b64encode(b"x" * 32).decode()),
                "replies": "https://portal.example.org/replies",
            },
            "replies are signed with",
        ),
        ({"token": SecretStr("short")}, "token: it has fewer than 16"),
        ({"secret": SecretStr("short"), "hmac": {"header": "X-Sig"}}, "can be guessed"),
        ({"hmac": {"header": "X-Sig", "signed": "{timestamp}"}}, "{body} must stand in it once"),
        ({"hmac": {"header": "X-Sig", "signed": "{timestamp}.{body}"}}, "timestamp_header"),
        ({"hmac": {"header": "X-Sig", "timestamp_header": "X-At"}}, "timestamp_header"),
        ({"hmac": {"header": "X Sig"}}, "pattern"),
        ({"replies": "http://portal.example.org/replies"}, "in the clear"),
        ({"replies": "ftp://portal.example.org"}, "write it as https"),
        ({"fields": {"handel": "from"}}, "handle"),
        ({"items": "a..b"}, "names with dots"),
    ],
)
def test_settings_that_could_never_work_stop_the_start_and_no_secret_is_said(wrong: dict[str, Any], said: str):
    with pytest.raises(ValidationError) as refused:
        account(**wrong)
    assert said in str(refused.value)
    assert "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" not in str(refused.value)
