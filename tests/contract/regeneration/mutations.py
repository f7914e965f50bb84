"""What upstream may do to its documents, and what notices.

Each row is one change, the class that the diff must give it, and what must catch it: the overlay guard by the
name of an action, the bundle by the pointer of a collision, a contract test by its name, or the type checker
by its message. "nothing" means that the facade needs no change.
"""

from typing import Literal

from attrs import frozen
from contract.regeneration.copies import CREATE, CREATE_PATH, QUERY, QUERY_PATH, body, data, inputs
from contract.regeneration.edits import (
    Change,
    append,
    components,
    dropping,
    duration,
    envelope,
    move,
    operation,
    prompt,
    properties,
    renaming,
    require_camera,
    setting,
    state,
)

Catcher = Literal["guard", "bundle", "contract", "types", "nothing"]


@frozen
class Mutation:
    """One row of the table."""

    name: str
    path: str
    change: Change
    kind: str
    catcher: Catcher
    words: str = ""


KINDS_OF_CHANGE = [
    Mutation(
        "type",
        CREATE,
        setting(prompt, type="integer"),
        "breaking",
        "types",
        '"prompt" to "ImageToVideoInput"',
    ),
    Mutation(
        "request enum value added",
        CREATE,
        append(lambda d: duration(d)["enum"], "15"),
        "additive",
        "contract",
        "test_durations_are_the_documented_ones",
    ),
    Mutation(
        "request enum value removed",
        CREATE,
        setting(duration, enum=["5"]),
        "breaking",
        "contract",
        "test_durations_are_the_documented_ones",
    ),
    Mutation(
        "answer enum value added",
        QUERY,
        append(lambda d: state(d)["enum"], "paused"),
        "additive",
        "guard",
        "get-task-detail/open-state",
    ),
    Mutation(
        "answer enum value removed",
        QUERY,
        lambda d: state(d)["enum"].remove("queuing"),
        "breaking",
        "guard",
        "get-task-detail/open-state",
    ),
    Mutation(
        "property renamed",
        CREATE,
        renaming(inputs, "image_urls", "images"),
        "breaking",
        "guard",
        "image-to-video/one-image",
    ),
    Mutation(
        "property renamed that no overlay names",
        CREATE,
        renaming(inputs, "sound", "audio"),
        "breaking",
        "types",
        '"sound" for "ImageToVideoInput"',
    ),
    Mutation(
        "property added", CREATE, setting(properties(inputs), seed={"type": "integer"}), "additive", "nothing"
    ),
    Mutation(
        "property removed",
        CREATE,
        dropping(properties(body), "callBackUrl"),
        "breaking",
        "types",
        '"ImageToVideoRequest" has no attribute "call_back_url"',
    ),
    Mutation("property made required", CREATE, require_camera, "breaking", "types", '"camera" in call'),
    Mutation(
        "limit tightened",
        CREATE,
        setting(prompt, maxLength=500),
        "breaking",
        "contract",
        "test_prompt_max_is_the_documented_one",
    ),
    Mutation(
        "host changed",
        CREATE,
        setting(lambda d: d["servers"][0], url="https://api.other.example"),
        "breaking",
        "bundle",
        "#/servers",
    ),
    Mutation(
        "host changed where an overlay mends it",
        QUERY,
        setting(lambda d: d["servers"][0], url="https://api.apikley.ru"),
        "breaking",
        "guard",
        "get-task-detail/host",
    ),
    Mutation(
        "answer field removed",
        QUERY,
        dropping(properties(data), "resultJson"),
        "breaking",
        "types",
        '"TaskRecord" has no attribute "result_json"',
    ),
    Mutation(
        "answer field renamed",
        QUERY,
        renaming(data, "failMsg", "failReason"),
        "breaking",
        "types",
        '"TaskRecord" has no attribute "fail_msg"',
    ),
    Mutation(
        "create endpoint moved",
        CREATE,
        move(CREATE_PATH, "/api/v2/jobs/createTask"),
        "breaking",
        "guard",
        "image-to-video/operation",
    ),
    Mutation(
        "query endpoint moved",
        QUERY,
        move(QUERY_PATH, "/api/v2/jobs/recordInfo"),
        "breaking",
        "guard",
        "get-task-detail/operation",
    ),
    Mutation("title changed", CREATE, setting(lambda d: d["info"], title="Kling"), "prose", "nothing"),
    Mutation(
        "title added to a model that an overlay names",
        CREATE,
        setting(body, title="Body"),
        "prose",
        "nothing",
    ),
    Mutation(
        "title added to part of an allOf",
        QUERY,
        lambda d: operation(d)["responses"]["200"]["content"]["application/json"]["schema"]["allOf"][
            1
        ].update(title="Part"),
        "prose",
        "nothing",
    ),
    Mutation("title added to a component", QUERY, setting(envelope, title="Envelope"), "prose", "nothing"),
    Mutation("description changed", CREATE, setting(prompt, description="What happens"), "prose", "nothing"),
    Mutation(
        "answer description changed", QUERY, setting(state, description="Now 20 MB"), "prose", "nothing"
    ),
    Mutation(
        "component name collision",
        QUERY,
        setting(components, CreatedTask={"type": "string"}),
        "additive",
        "bundle",
        "#/components/schemas/CreatedTask",
    ),
]
