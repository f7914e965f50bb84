"""Only the service's callbacks get in, and nothing else comes out than a callback or one kind of error."""

from __future__ import annotations

import json
import math
import pickle
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.senders import AT, KEY, SIGNATURE, TASK, Delivery, body, signature, signed

from kling_facade import CallbackRejectedError, ConfigurationError, InvalidInputError
from kling_facade.callbacks import MAX_BODY, Callback, CallbackVerifier, sign

NEW, OLD = "the new key", "the old key"


def verifier(keys: str | Iterable[str] | None = KEY, *, now: float = AT, **options: Any) -> CallbackVerifier:
    return CallbackVerifier([keys] if isinstance(keys, str) else keys, clock=lambda: now, **options)


def rejected(delivery: Delivery, *, by: CallbackVerifier | None = None) -> CallbackRejectedError:
    with pytest.raises(CallbackRejectedError) as caught:
        (by or verifier()).verify(*delivery)
    assert 400 <= caught.value.http_status < 500
    assert caught.value.reason == str(caught.value)
    return caught.value


# Signatures


@pytest.mark.parametrize(
    ("task_id", "at", "known"),
    [
        (TASK, AT, SIGNATURE),
        ("task_kling-2.6_1765182405025", 1765182465, "E8OYzyWnrna8zFexUX06xYkd4QB/RiVau1qhGKyEe3s="),
    ],
)
def test_the_known_answers_hold(task_id: str, at: int, known: str) -> None:
    assert sign(KEY, task_id, at) == known
    headers = {"X-Webhook-Timestamp": str(at), "X-Webhook-Signature": known}
    callback = verifier(now=at).verify(headers, body(task_id))
    assert (callback.task_id, callback.key_index, callback.submission_id) == (task_id, 0, None)
    assert callback.sent_at is not None
    assert callback.sent_at.timestamp() == at


def test_a_signature_made_by_openssl_is_accepted() -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, so nobody but Python has signed")
    made = subprocess.run(
        [openssl, "dgst", "-sha256", "-hmac", KEY, "-binary"],
        input=f"{TASK}.{AT}".encode(),
        capture_output=True,
        check=True,
    )
    coded = subprocess.run([openssl, "base64", "-A"], input=made.stdout, capture_output=True, check=True)
    headers = {"X-Webhook-Timestamp": str(AT), "X-Webhook-Signature": coded.stdout.decode().strip()}
    assert verifier().verify(headers, body()).task_id == TASK


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1).filter(str.strip))
def test_any_key_and_id_that_can_be_signed_is_accepted(text: str) -> None:
    callback = verifier(text).verify(*signed(text[:200], key=text))
    assert callback.task_id == text[:200]


def test_header_names_count_in_any_case_and_as_pairs_of_bytes() -> None:
    headers = signed().headers
    for spelled in (
        {name.lower(): value for name, value in headers.items()},
        {name.upper(): value for name, value in headers.items()},
        list(headers.items()),
        [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    ):
        assert verifier().verify(spelled, body()).task_id == TASK


@pytest.mark.parametrize(
    "wrong",
    [
        SIGNATURE[:-2] + "5=",
        SIGNATURE.lower(),
        SIGNATURE.rstrip("="),
        SIGNATURE + "=",
        SIGNATURE + "\n",
        " " + SIGNATURE,
        f"{SIGNATURE},{SIGNATURE}",
        "",
        "é" * 44,
        "\ud800",
        "\0",
        "v1=" + SIGNATURE,
        signature("another key", TASK, AT),
        signature(KEY, "another task", AT),
        signature(KEY, TASK, AT + 1),
        "x" * 1_000_000,
    ],
)
def test_a_wrong_signature_is_refused(wrong: str) -> None:
    delivery = signed()
    headers = {**delivery.headers, "X-Webhook-Signature": wrong}
    assert rejected(delivery._replace(headers=headers)).http_status == 401


@pytest.mark.parametrize(
    "junk", ["", "²", "1e9", "-1", "+1", "1.0", "١٢٣", "9" * 400, "0x1", " 1769670760", "1769670760 ", "\0"]
)
def test_a_time_that_is_no_unix_time_is_refused_even_where_it_is_signed(junk: str) -> None:
    headers = {"X-Webhook-Timestamp": junk, "X-Webhook-Signature": signature(KEY, TASK, junk)}
    assert rejected(Delivery(headers, body())).http_status == 400


def test_a_signature_without_a_time_is_refused() -> None:
    headers = {"X-Webhook-Signature": signature(KEY, TASK, "")}
    assert rejected(Delivery(headers, body())).http_status == 400


@pytest.mark.parametrize("off", [3600, -3600, 300.5, -300.5])
def test_what_was_signed_too_early_or_too_late_is_refused(off: float) -> None:
    assert rejected(signed(), by=verifier(now=AT + off)).http_status == 401
    assert verifier(now=AT + off, tolerance=math.inf).verify(*signed()).task_id == TASK


@pytest.mark.parametrize("off", [300, -300, 0.4])
def test_what_was_signed_within_the_tolerance_is_accepted(off: float) -> None:
    assert verifier(now=AT + off).verify(*signed()).task_id == TASK


@pytest.mark.parametrize("name", ["X-Webhook-Timestamp", "x-webhook-signature"])
def test_a_header_given_twice_is_refused_even_where_both_are_right(name: str) -> None:
    headers = list(signed().headers.items())
    twice = [*headers, *((name, value) for known, value in headers if known.lower() == name.lower())]
    with pytest.raises(CallbackRejectedError, match="twice"):
        verifier().verify(twice, body())


# Bodies


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"taskId": TASK}},
        {"data": {"task_id": TASK}},
        {"taskId": TASK},
        {"task_id": TASK, "data": None},
        {"taskId": TASK, "data": "text"},
        {"taskId": TASK, "data": {"taskId": TASK, "task_id": TASK}},
    ],
)
def test_the_id_is_found_wherever_the_wire_has_had_it(document: object) -> None:
    delivery = signed()._replace(body=json.dumps(document).encode())
    assert verifier().verify(*delivery).task_id == TASK


@pytest.mark.parametrize(
    "text",
    [
        '{"data": {"taskId": "TASK", "task_id": "other"}}',
        '{"taskId": "other", "data": {"taskId": "TASK"}}',
        '{"taskId": "TASK", "data": {"task_id": "other"}}',
        '{"taskId": "TASK", "data": {"taskId": null}}',
        '{"taskId": "TASK", "data": {"taskId": ""}}',
        '{"taskId": "TASK", "task_id": ["TASK"]}',
        '{"taskId": "other", "taskId": "TASK"}',
        '{"data": {"taskId": "other", "task\\u0049d": "TASK"}}',
        '{"data": {"taskId": "other"}, "data": {"taskId": "TASK"}}',
    ],
)
def test_two_ids_in_one_body_are_refused(text: str) -> None:
    delivery = signed()._replace(body=text.replace("TASK", TASK).encode())
    assert rejected(delivery).http_status == 400


NAMED = st.tuples(st.sampled_from(["taskId", "task_id", "id"]), st.sampled_from([TASK, "other"]))


def spell(pairs: list[tuple[str, Any]]) -> str:
    """An object in which a name may come twice."""
    fields = ((name, spell(value) if isinstance(value, list) else json.dumps(value)) for name, value in pairs)
    return "{" + ", ".join(f'"{name}": {value}' for name, value in fields) + "}"


@given(st.lists(NAMED | st.tuples(st.just("data"), st.lists(NAMED, max_size=3)), max_size=4))
def test_only_a_body_all_of_whose_ids_are_the_signed_one_gets_in(pairs: list[tuple[str, Any]]) -> None:
    inner = [pair for name, value in pairs if name == "data" for pair in value]
    ids = {value for name, value in (*pairs, *inner) if name in ("taskId", "task_id")}
    delivery = signed()._replace(body=spell(pairs).encode())
    if ids == {TASK}:
        assert verifier().verify(*delivery).task_id == TASK
    else:
        rejected(delivery)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff\xfe",
        b"\xff" + body(),
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        b"[" * 100_000,
        b'{"data":' * 100_000,
        b"null",
        b"[]",
        b"1" * 10_000,
        b'"text"',
        b"{}",
        b'{"taskId": X, "task_id": X}'.replace(b"X", b'{"a":' * 700 + b"1" + b"}" * 700),
        b'{"data": {"taskId": 7}}',
        b'{"data": {"taskId": "\\ud800"}}',
        b'{"data": {"taskId": "a\\u0000b"}}',
        b'{"data": {"taskId": "' + b"x" * 257 + b'"}}',
        body() + b"\0",
        b"\0" + body(),
        body() + body(),
        body()[:-1],
    ],
)
def test_a_body_that_names_no_task_is_refused(junk: bytes) -> None:
    assert rejected(signed()._replace(body=junk)).http_status == 400


def test_a_body_of_ten_megabytes_is_refused_unread() -> None:
    assert rejected(signed()._replace(body=b"[" * 10_000_000)).http_status == 413
    assert verifier().verify(*signed()._replace(body=body().ljust(MAX_BODY))).task_id == TASK
    assert rejected(signed()._replace(body=body().ljust(MAX_BODY + 1))).http_status == 413


def test_a_callback_says_nothing_of_the_result() -> None:
    forged = signed()._replace(body=body(state="fail", resultJson='{"resultUrls": ["https://evil.test/"]}'))
    callback = verifier().verify(*forged)
    assert callback == verifier().verify(*signed())
    assert set(callback._fields) == {"task_id", "sent_at", "key_index", "submission_id"}
    assert "evil" not in repr(callback)
    assert pickle.loads(pickle.dumps(callback)) == callback


# Marks


def test_a_mark_stands_in_for_a_signature_and_names_the_submission() -> None:
    mark = verifier().mark("s1")
    for query in (mark, f"user=7&{mark}", f"{mark}&user=7"):
        callback = verifier().verify({}, body(), query)
        assert callback == Callback(TASK, None, 0, "s1")


def test_a_mark_beside_a_signature_names_the_submission_too() -> None:
    callback = verifier().verify(*signed(query=verifier().mark("s1")))
    assert (callback.submission_id, callback.sent_at is None) == ("s1", False)


@pytest.mark.parametrize("query", ["?{}", b"{}"])
def test_the_query_is_taken_as_frameworks_give_it(query: str | bytes) -> None:
    mark = verifier().mark("s1")
    spelled = query.replace("{}", mark) if isinstance(query, str) else query.replace(b"{}", mark.encode())
    assert verifier().verify({}, body(), spelled).submission_id == "s1"


def test_neither_signed_nor_marked_is_refused() -> None:
    for query in ("", "user=7", "xkf=1", "user=kf"):
        assert rejected(Delivery({}, body(), query)).http_status == 401
    assert rejected(Delivery({"X-Webhook-Timestamp": str(AT)}, body())).http_status == 401


def wrong_marks() -> list[str]:
    mark, other = verifier().mark("s1"), verifier().mark("s2")
    code = mark.partition(".")[2]
    changed = code[:-1] + ("0" if code[-1] != "0" else "1")
    return [
        f"kf=s2.{code}",
        f"kf=s1.{changed}",
        f"kf=s1.{code.upper()}",
        f"kf=s1.{code}0",
        f"kf=s1.{code[:-1]}",
        f"kf=s1{code}",
        f"kf=.{code}",
        "kf=",
        "kf=s1.",
        "kf",
        "kf=é.é",
        "kf=\ud800.\ud800",
        f"{mark}&{other}",
        f"{mark}&{mark}",
        verifier("a key that is not known").mark("s1"),
    ]


@pytest.mark.parametrize("query", wrong_marks())
def test_a_wrong_mark_is_refused_even_beside_a_right_signature(query: str) -> None:
    rejected(Delivery({}, body(), query))
    rejected(signed(query=query))


def test_a_wrong_signature_is_refused_even_beside_a_right_mark() -> None:
    assert rejected(signed(key="another key", query=verifier().mark("s1"))).http_status == 401
    assert rejected(signed(at=AT - 3600, query=verifier().mark("s1"))).http_status == 401


def test_a_signature_is_no_mark_and_a_mark_no_signature() -> None:
    """The same key makes both: neither may be taken for the other."""
    text = f"{TASK}.{AT}"
    mac = verifier().mark(text).removeprefix(f"kf={text}.")
    rejected(Delivery({}, body(), f"kf={text}.{mac}"))


# Keys


def test_old_and_new_key_are_both_accepted_and_told_apart() -> None:
    rotating = verifier([NEW, OLD])
    assert rotating.verify(*signed(key=NEW)).key_index == 0
    assert rotating.verify(*signed(key=OLD)).key_index == 1
    assert rotating.verify({}, body(), verifier(OLD).mark("s1")).key_index == 1
    assert rotating.mark("s1") == verifier(NEW).mark("s1")
    rejected(signed(key="a third key"), by=rotating)


def test_every_key_is_tried_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(ours: bytes, given: bytes) -> bool:
        compared.append((ours, given))
        return ours == given

    monkeypatch.setattr("kling_facade.callbacks.signatures.compare_digest", compare)
    assert verifier([NEW, OLD, KEY]).verify(*signed(key=NEW)).key_index == 0
    assert len(compared) == 3
    assert all(isinstance(part, bytes) for pair in compared for part in pair)


def test_keys_come_from_the_environment_split_at_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APIKLEY_WEBHOOK_KEYS", f" new-key\n{KEY}  ")
    assert CallbackVerifier(clock=lambda: AT).verify(*signed()).key_index == 1


def test_one_string_is_not_taken_for_a_list_of_letters() -> None:
    assert CallbackVerifier(f"a-key {KEY}", clock=lambda: AT).verify(*signed()).key_index == 1
    rejected(signed(key="a"), by=CallbackVerifier("abc", clock=lambda: AT))


@pytest.mark.parametrize("keys", ["", "  ", [], [""], [KEY, " "], ["\ud800"], [None], [b"key"], "a,b"])
def test_an_empty_key_is_no_key(keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError):
        CallbackVerifier(keys)
    with pytest.raises(ConfigurationError):
        sign("", TASK, AT)
    monkeypatch.setenv("APIKLEY_WEBHOOK_KEYS", "")
    with pytest.raises(ConfigurationError, match="APIKLEY_WEBHOOK_KEYS"):
        CallbackVerifier()


def test_no_key_is_ever_shown() -> None:
    secret = verifier("a-very-secret-key")
    assert "secret" not in repr(secret)
    assert "secret" not in str(rejected(signed(), by=secret))


@pytest.mark.parametrize("tolerance", [0, -1, math.nan])
def test_a_tolerance_that_lets_nothing_in_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInputError, match="tolerance"):
        CallbackVerifier(KEY, tolerance=tolerance)


# Anything

text = st.text() | st.sampled_from([SIGNATURE, str(AT), "²", "\0", "\ud800"])
names = st.sampled_from(["X-Webhook-Timestamp", "x-webhook-signature", "X-WEBHOOK-SIGNATURE"]) | st.text()
pairs = st.tuples(names, text) | st.tuples(names.map(lambda n: n.encode(errors="replace")), st.binary())
members = st.sampled_from(["taskId", "task_id", "data", "x"])
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text | st.just(TASK),
    lambda inner: st.lists(inner) | st.dictionaries(members, inner),
)
bodies = st.binary() | jsons.map(lambda document: json.dumps(document).encode()) | st.just(body())
queries = st.text() | st.sampled_from([verifier().mark("s1"), "kf=", "kf=a.b&kf=c.d", "&&kf==&"])


@settings(max_examples=500)
@given(st.lists(pairs), bodies, queries)
@example([("X-Webhook-Timestamp", str(AT)), ("X-Webhook-Signature", SIGNATURE)], body(), "")
def test_whatever_arrives_only_one_kind_of_error_leaves(
    headers: list[tuple[Any, Any]], content: bytes, query: str
) -> None:
    try:
        callback = verifier().verify(headers, content, query)
    except CallbackRejectedError as error:
        assert 400 <= error.http_status < 500
    else:
        marked = verifier().mark("s1") in query.split("&")
        assert marked or any(value in (SIGNATURE, SIGNATURE.encode()) for _, value in headers)
        assert callback.task_id
