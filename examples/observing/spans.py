"""Every call of the API as an OpenTelemetry span: ``Kling(on_event=Spans())``.

Needs opentelemetry-api; without an SDK that is set up, spans cost next to nothing and go nowhere.
"""

import time

from opentelemetry import trace

from kling_facade import Event


class Spans:
    """Makes a span of each answered call, with what is known of it; no key, no prompt, no link is in it."""

    def __init__(self, tracer: trace.Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("kling_facade")

    def __call__(self, event: Event) -> None:
        if event.name != "answered":
            return
        known = {
            "kling.task_id": event.task_id,
            "kling.submission_id": event.submission_id,
            "kling.attempt": event.attempt,
            "kling.code": event.code,
            "http.response.status_code": event.http_status,
        }
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"kling {event.call}",
            start_time=ended - int((event.seconds or 0) * 1e9),
            attributes={name: value for name, value in known.items() if value is not None},
        )
        if event.code is not None:
            span.set_status(trace.StatusCode.ERROR)
        span.end(ended)
