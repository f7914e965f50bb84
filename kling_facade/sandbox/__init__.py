"""A local Apikley for trying things out and for tests: ``with Sandbox() as sandbox: sandbox.client()``."""

from kling_facade.sandbox.answers import Answer
from kling_facade.sandbox.callbacks import Delivery
from kling_facade.sandbox.clock import Clock
from kling_facade.sandbox.faults import FAULTS
from kling_facade.sandbox.proxy import FaultyProxy, SocketFault
from kling_facade.sandbox.quirks import QUIRKS, Forgery, Quirk
from kling_facade.sandbox.requests import RecordedRequest
from kling_facade.sandbox.sandbox import Sandbox, serve
from kling_facade.sandbox.scenarios import SCENARIOS, Scenario, Timing
from kling_facade.sandbox.tasks import Failure, SandboxTask

__all__ = [
    "FAULTS",
    "QUIRKS",
    "SCENARIOS",
    "Answer",
    "Clock",
    "Delivery",
    "Failure",
    "FaultyProxy",
    "Forgery",
    "Quirk",
    "RecordedRequest",
    "Sandbox",
    "SandboxTask",
    "Scenario",
    "SocketFault",
    "Timing",
    "serve",
]
