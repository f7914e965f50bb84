"""One table of the readings of the API that contradict each other; without quirks the commonest is spoken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from attrs import evolve, field, frozen

from kling_facade.sandbox.drafts import (
    Draft,
    encode_param_once,
    is_refused,
    leave_out,
    links,
    move_task_id,
    only_if,
    put_task_id_on_top,
    refuse,
    rename,
    set_fields,
    speak,
    spell_result,
    tell_cost_in_ms,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Forgery = Literal["unsigned", "wrong_key", "other_body", "other_task", "stale"]

VISIBLE_AFTER = 5.0  # simulated seconds


@frozen
class Sending:
    """One callback that is to be sent.

    Attributes:
        wait: simulated seconds after the task has ended.
        forged: how it is not genuine.
    """

    wait: float = 0.0
    forged: Forgery | None = None


@frozen
class Quirk:
    """One departure from the commonest reading.

    Attributes:
        name: what it is switched on by.
        about: what then happens.
        on: operations whose answers are edited; "callback" for the body of callbacks.
        edit: changes the draft in place.
        plan: changes which callbacks are sent, and when.
    """

    name: str
    about: str
    on: tuple[str, ...] = ()
    edit: Callable[[Draft], object] = field(default=lambda _draft: None, repr=False)
    plan: Callable[[list[Sending], random.Random], list[Sending]] | None = field(default=None, repr=False)


API = ("create", "record", "credits", "link", "upload")
CREATE, RECORD, CALLBACK, BOTH = ("create",), ("record",), ("callback",), ("record", "callback")
RUNNING = ("waiting", "queuing", "generating")


def _is(*codes: int) -> Callable[[Draft], bool]:
    return lambda draft: draft.code in codes


def _runs(draft: Draft) -> bool:
    return draft.state in RUNNING


def _answer(**values: object) -> Callable[[Draft], object]:
    return lambda draft: draft.document.update(values)


def _with_status(status: int) -> Callable[[Draft], object]:
    return lambda draft: setattr(draft, "status", status)


# Applied from top to bottom.
# fmt: off
TABLE = (
    Quirk("callback_generation_1", "callbacks of the first form", CALLBACK, speak(1)),
    Quirk("callback_generation_2", "callbacks of the second form", CALLBACK, speak(2)),
    Quirk("without_record_id", "a create answers without recordId", CREATE, leave_out("recordId")),
    Quirk("example_task_ids", "task ids look like the documents' examples, task_kling-2.6_<ms>"),
    Quirk("credits_as_500", "credits that do not suffice are refused with 500 instead of 402", CREATE,
          only_if(_is(402), _answer(code=500))),
    Quirk("whole_credits", "the balance is an integer, as documented", ("credits",),
          only_if(_is(200), lambda draft: draft.document.update(data=int(draft.document["data"])))),
    Quirk("not_visible_yet", f"a record cannot be seen in its first {VISIBLE_AFTER:g} s", RECORD,
          only_if(lambda draft: draft.age < VISIBLE_AFTER, refuse(422, "recordInfo is null"))),
    Quirk("unknown_as_404", "an unknown task is 404, as documented, instead of 422", RECORD,
          only_if(lambda draft: draft.document.get("msg") == "recordInfo is null",
                  refuse(404, "The record does not exist"))),
    Quirk("param_once", "param is encoded once", BOTH, encode_param_once),
    Quirk("result_null", "resultJson is null before success", RECORD, set_fields(RUNNING, resultJson=None)),
    Quirk("result_missing", "resultJson is absent before success", RECORD,
          only_if(_runs, leave_out("resultJson"))),
    Quirk("result_early", "resultJson is filled while the task still waits", RECORD,
          only_if(_runs, lambda draft: draft.record.update(resultJson=links(draft.link)))),
    Quirk("result_object", "resultJson is an object instead of a text", BOTH,
          spell_result(lambda link: {"resultUrls": [link]})),
    Quirk("result_urls", "the links are in result_urls", BOTH,
          spell_result(lambda link: json.dumps({"result_urls": [link]}))),
    Quirk("result_empty", "a success has no link", BOTH, spell_result(lambda _: links())),
    Quirk("result_without_list", "a success has not even a list of links", BOTH,
          spell_result(lambda _: "{}")),
    Quirk("documented_fail_fields", "failCode and failMsg are empty texts unless the task failed", RECORD,
          set_fields((*RUNNING, "success"), failCode="", failMsg="")),
    Quirk("fail_code_as_word", "failCode is a word", BOTH,
          set_fields(("fail",), failCode="SENSITIVE_WORD_ERROR")),
    Quirk("cost_in_ms", "costTime is in milliseconds, as documented", BOTH, tell_cost_in_ms),
    Quirk("without_update_time", "updateTime is absent", RECORD, leave_out("updateTime")),
    Quirk("without_credits_consumed", "creditsConsumed is absent", BOTH, leave_out("creditsConsumed")),
    Quirk("unknown_state", "a running task is in a state no document knows", RECORD,
          set_fields(("generating",), state="post_processing")),
    Quirk("disabled_with_data", "505 comes with the complete data of a success", RECORD,
          only_if(lambda draft: draft.state == "success",
                  _answer(code=505, msg="This feature is temporarily disabled"))),
    Quirk("failed_state", "a failed task is called failed instead of fail", BOTH,
          set_fields(("fail",), state="failed")),
    Quirk("callback_task_id", "callbacks have the id at data.task_id", CALLBACK, move_task_id("task_id")),
    Quirk("callback_id_on_top", "callbacks have the id beside data", CALLBACK, put_task_id_on_top),
    Quirk("real_status", "refusals have their code as HTTP status", API,
          only_if(is_refused, lambda draft: setattr(draft, "status", draft.code))),
    Quirk("limit_as_200", "above the rate limit the HTTP status is 200, too", API,
          only_if(_is(429), _with_status(200))),
    Quirk("retry_after", "refusals for haste and maintenance say when to come back", API,
          only_if(_is(429, 430, 455), lambda draft: draft.headers.update({"retry-after": "5"}))),
    Quirk("message", "the text is in message instead of msg", (*API, "callback"), rename("msg", "message")),
    Quirk("data_absent", "refusals have no data", API,
          only_if(is_refused, lambda draft: draft.document.pop("data", None))),
    Quirk("data_empty", "refusals have an empty object as data", API, only_if(is_refused, _answer(data={}))),
    Quirk("without_code", "the envelope has no code", API, lambda draft: draft.document.pop("code", None)),
    Quirk("without_content_type", "answers have no Content-Type", API,
          lambda draft: draft.headers.pop("content-type", None)),
    Quirk("callbacks_lost", "no callback is sent", plan=lambda _sendings, _chance: []),
    Quirk("callbacks_forged", "before each callback comes one that is not genuine",
          plan=lambda sendings, _chance: [Sending(0.0, "wrong_key"), *sendings]),
    Quirk("callbacks_twice", "each callback is sent twice",
          plan=lambda sendings, _chance: [*sendings, *(evolve(one, wait=one.wait + 2) for one in sendings)]),
    Quirk("callbacks_late", "callbacks come up to two minutes late, so not in order",
          plan=lambda sendings, chance: [evolve(one, wait=chance.uniform(0, 120)) for one in sendings]),
)
# fmt: on
QUIRKS = {quirk.name: quirk for quirk in TABLE}
