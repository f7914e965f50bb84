"""Makes a video in the sandbox and prints its spans.

From the root of the clone:

    pip install '.[sandbox]' -r examples/observing/requirements.txt
    python examples/observing/try_it.py
"""

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from spans import Spans

from kling_facade.sandbox import Sandbox

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: f"{span.name}\n")))

with Sandbox() as sandbox, sandbox.client(on_event=Spans(provider.get_tracer("example"))) as kling:
    kling.generate("https://example.com/cat.jpg", "the cat yawns")
