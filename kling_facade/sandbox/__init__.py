"""A local Apikley for trying things out and for tests: ``with Sandbox() as sandbox: sandbox.client()``."""

from kling_facade.sandbox.answers import Answer
from kling_facade.sandbox.clock import Clock
from kling_facade.sandbox.requests import RecordedRequest
from kling_facade.sandbox.sandbox import Sandbox, serve
from kling_facade.sandbox.tasks import SandboxTask

__all__ = ["Answer", "Clock", "RecordedRequest", "Sandbox", "SandboxTask", "serve"]
