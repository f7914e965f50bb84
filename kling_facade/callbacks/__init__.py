"""Callbacks that can be trusted: ``CallbackVerifier`` checks them, ``CallbackInbox`` receives them.

Needs nothing but the standard library, and loads little of that: no httpx, no asyncio.
"""

from kling_facade.callbacks.asgi import asgi_app
from kling_facade.callbacks.handling import Answer
from kling_facade.callbacks.inbox import CallbackInbox
from kling_facade.callbacks.signatures import sign
from kling_facade.callbacks.verifier import MAX_BODY, Callback, CallbackVerifier
from kling_facade.callbacks.wsgi import wsgi_app
from kling_facade.errors import CallbackRejectedError

__all__ = [
    "MAX_BODY",
    "Answer",
    "Callback",
    "CallbackInbox",
    "CallbackRejectedError",
    "CallbackVerifier",
    "asgi_app",
    "sign",
    "wsgi_app",
]
