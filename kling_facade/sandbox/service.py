"""The service itself, without HTTP: what is asked for, and what is refused."""

from __future__ import annotations

import base64
import binascii
import random
import threading
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from attrs import frozen

from kling_facade.sandbox.account import Account, Limit, price
from kling_facade.sandbox.answers import RefusedError
from kling_facade.sandbox.fetching import NotFetchedError, fetch
from kling_facade.sandbox.pictures import NOT_FETCHED, Picture, examine
from kling_facade.sandbox.storage import Storage, Upload
from kling_facade.sandbox.tasks import MEDIA_FAULT_CODE, Failure, SandboxTask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from kling_facade.sandbox.clock import Clock
    from kling_facade.sandbox.rules import Rules
    from kling_facade.sandbox.scenarios import Scenario

DAY = 24 * 60 * 60.0
MB = 1024 * 1024
FRESH_LINK_KEPT = 20 * 60.0


@frozen(kw_only=True)
class Settings:
    """What a sandbox was told; :class:`~kling_facade.sandbox.Sandbox` says what each means."""

    api_key: str
    credits: float
    seed: int
    allow_fetch: bool | Collection[str]
    creates_per_10s: int | None
    queries_per_second: int | None
    upload_limit: int
    uploads_kept: float
    links_kept: float
    results_kept: float


class Service:
    """One account of a local Apikley.

    Args:
        settings: of the sandbox.
        clock: by which everything happens.
        rules: of the sandbox.
        folder: where its files are; whoever made it removes it.
        url: under which the service is reached.
    """

    def __init__(self, settings: Settings, clock: Clock, rules: Rules, *, folder: Path, url: str) -> None:
        self.settings = settings
        self.clock = clock
        self.rules = rules
        given = rules.scenario.credits
        self.account = Account(settings.credits if given is None else given)
        self.creates = Limit(clock, settings.creates_per_10s, 10.0)
        self.queries = Limit(clock, settings.queries_per_second, 1.0)
        self.tasks: dict[str, SandboxTask] = {}
        self._storage = Storage(folder, clock, kept=settings.uploads_kept, most=settings.upload_limit)
        self._url = url
        self._chance = random.Random(settings.seed)
        self._user_id = str(self._chance.randrange(10_000, 1_000_000))  # public links show it
        self._money = threading.Lock()  # the balance is read by users' threads too
        self._unrefunded: set[str] = set()
        self._fresh_links: dict[str, tuple[str, float]] = {}

    def use(self, scenario: Scenario | str | None, quirks: Iterable[str] | None) -> None:
        """Changes the rules, and the balance where the scenario names one.

        Raises:
            ValueError: a name that there is not; nothing is changed.
        """
        self.rules.use(scenario, quirks)
        balance = self.rules.scenario.credits
        if scenario is not None and balance is not None:
            self.set_credits(balance)

    # Tasks

    def picture(self, url: str) -> Picture:
        """What a task with this image URL will work on; blocks while it fetches and decodes."""
        files = f"{self._url}/files/{self._user_id}/"
        if url.startswith(files):
            upload = self._storage.find(unquote(url.removeprefix(files)))
            return examine(upload.path) if upload else Picture(None, NOT_FETCHED)
        if not self.settings.allow_fetch:
            return Picture(self._test_card)
        try:
            return examine(self._storage.keep(self._fetched(url)))
        except NotFetchedError:
            return Picture(None, NOT_FETCHED)

    def accept(self, request: dict[str, Any], picture: Picture) -> SandboxTask:
        """Charges for a checked create request and takes it on."""
        given = request["input"]
        cost = price(given["duration"], sound=given["sound"])
        scenario, fault = self.rules.scenario, picture.fault
        with self._money:
            self._refund()
            self.account.charge(cost)
        task = SandboxTask(
            id=self._task_id(),
            request=request,
            picture=picture,
            price=cost,
            course=scenario.timing.draw(given["duration"], self._chance),
            failure=Failure(MEDIA_FAULT_CODE, fault) if fault else scenario.failure,
            at=self.clock.now(),
            wall=self.clock.wall(),
        )
        self.tasks[task.id] = task
        if task.failure:
            self._unrefunded.add(task.id)
        return task

    def _task_id(self) -> str:
        if "example_task_ids" in self.rules.quirks:
            return f"task_kling-2.6_{int(self.clock.wall() * 1000) + len(self.tasks)}"
        return uuid.uuid4().hex

    def record(self, task_id: str) -> dict[str, Any]:
        """The ``data`` of recordInfo."""
        if not task_id:
            raise RefusedError(422, "taskId is required")
        if task_id not in self.tasks:
            raise RefusedError(422, "recordInfo is null")
        return self.tasks[task_id].record(self.clock.now(), self.result_url(task_id))

    def credits(self) -> float:
        """The balance, failed tasks refunded."""
        with self._money:
            self._refund()
            return self.account.credits

    def set_credits(self, balance: float) -> None:
        """Changes the balance, refunds to come apart."""
        with self._money:
            self._refund()
            self.account.credits = balance

    def _refund(self) -> None:
        now = self.clock.now()
        for task in [self.tasks[task_id] for task_id in self._unrefunded]:
            if task.state(now) == "fail":
                self._unrefunded.remove(task.id)
                self.account.refund(task.price)

    # Results

    def fresh_link(self, url: object) -> str:
        """Another link to a video, good for 20 minutes."""
        for task_id in self.tasks:
            if url == self.result_url(task_id) and self._is_kept(task_id):
                token = uuid.uuid4().hex
                self._fresh_links[token] = (task_id, self.clock.now() + FRESH_LINK_KEPT)
                return f"{self._url}/fresh/{token}/{task_id}.mp4"
        raise RefusedError(422, "The url is not a file made by this service")

    def linked_task(self, user_id: str, task_id: str) -> SandboxTask | None:
        """Whose video the link in a record still opens."""
        if user_id != self._user_id or not self._is_kept(task_id):
            return None
        task = self.tasks[task_id]
        return task if self.clock.now() < task.ends + self.settings.links_kept else None

    def freshly_linked_task(self, token: str, task_id: str) -> SandboxTask | None:
        """The same for a fresh link."""
        linked, until = self._fresh_links.get(token, ("", 0.0))
        alive = linked == task_id and self.clock.now() < until and self._is_kept(task_id)
        return self.tasks[task_id] if alive else None

    def _is_kept(self, task_id: str) -> bool:
        task = self.tasks.get(task_id)
        if task is None or task.state(self.clock.now()) != "success":
            return False
        return self.clock.now() < task.ends + self.settings.results_kept

    def result_url(self, task_id: str) -> str:
        """The link to a video in its record."""
        return f"{self._url}/results/{self._user_id}/{task_id}.mp4"

    # Files

    def upload(self, data: bytes, folder: object, name: object) -> Upload:
        """Stores a file."""
        return self._storage.upload(data, folder, name)

    def upload_base64(self, text: object, folder: object, name: object) -> Upload:
        """Stores a file given as base64, bare or as a data URL."""
        if not isinstance(text, str) or not text:
            raise RefusedError(400, "base64Data is required")
        encoded = text.partition(",")[2] if text.startswith("data:") else text
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError(400, "base64Data is not valid base64") from None
        return self.upload(data, folder, name)

    def upload_url(self, url: object, folder: object, name: object) -> Upload:
        """Fetches a file and stores it; blocks. Refused unless fetching is allowed."""
        if not isinstance(url, str) or not url:
            raise RefusedError(400, "fileUrl is required")
        if not self.settings.allow_fetch:
            raise RefusedError(400, "This sandbox fetches nothing: start it with allow_fetch")
        try:
            return self.upload(self._fetched(url), folder, name)
        except NotFetchedError as problem:
            raise RefusedError(400, f"The file could not be fetched: {problem}") from problem

    def uploaded(self, user_id: str, location: str) -> Upload | None:
        """The file that a public link opens."""
        return self._storage.find(location) if user_id == self._user_id else None

    def public_url(self, upload: Upload) -> str:
        """Where anybody can read an upload; shows the user's id, as the real links do."""
        return f"{self._url}/files/{self._user_id}/{upload.url_path}"

    def _fetched(self, url: str) -> bytes:
        allowed = self.settings.allow_fetch
        hosts = () if isinstance(allowed, bool) else allowed
        return fetch(url, hosts=hosts, most=self.settings.upload_limit)

    @cached_property
    def _test_card(self) -> Path:
        from kling_facade.sandbox.film import test_card  # loads PyAV

        return self._storage.keep(test_card())
