"""A request is either sent or abandoned, never both."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from kling_facade.ticket import Ticket
from kling_facade.wire import AnswerLost, NotSent

POST = {"request": SimpleNamespace(method=b"POST")}
SENDING = "http11.send_request_headers.started"


def test_what_is_abandoned_before_its_first_byte_never_leaves() -> None:
    ticket = Ticket()
    ticket.trace("connection.connect_tcp.started", POST)
    assert isinstance(ticket.abandon("late"), NotSent)
    with pytest.raises(InterruptedError):
        ticket.trace(SENDING, POST)


def test_what_is_abandoned_after_its_first_byte_may_have_arrived() -> None:
    ticket = Ticket()
    ticket.trace(SENDING, POST)
    assert isinstance(ticket.abandon("late"), AnswerLost)


def test_asking_a_proxy_for_a_tunnel_sends_nothing_yet() -> None:
    ticket = Ticket()
    ticket.trace(SENDING, {"request": SimpleNamespace(method=b"CONNECT")})
    assert not ticket.sent


def test_a_race_between_sending_and_leaving_has_one_winner() -> None:
    for _ in range(200):
        ticket, together, sent = Ticket(), threading.Barrier(2), list[bool]()

        def send(
            ticket: Ticket = ticket, together: threading.Barrier = together, sent: list[bool] = sent
        ) -> None:
            together.wait()
            try:
                ticket.trace(SENDING, POST)
                sent.append(True)
            except InterruptedError:
                sent.append(False)

        sender = threading.Thread(target=send)
        sender.start()
        together.wait()
        outcome = ticket.abandon("late")
        sender.join()
        assert isinstance(outcome, AnswerLost) == sent[0]
