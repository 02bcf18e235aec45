"""OpenTelemetry traces across outbox and Kafka: a transfer is a trace, a message a span.

The trace id is the correlation id and the span id the first half of the message id, so that a
span's parent is known from the envelope alone and nothing has to be kept for it.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from uuid import UUID

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from shared.dead_letters import Record

_span_id: ContextVar[int] = ContextVar("span_id", default=0)
_HALF = 64


class MessageIds(IdGenerator):
    """The id of a span is that of its message, set for the moment of its start."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_span_id(self) -> int:
        return _span_id.get() or self._random.generate_span_id()

    def generate_trace_id(self) -> int:
        return self._random.generate_trace_id()


def exporter(service: str, endpoint: str) -> trace.Tracer | None:
    """A tracer that exports to an OTLP endpoint, or None where there is none."""
    if not endpoint:
        return None
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"jiexu-{service}"}), id_generator=MessageIds()
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider.get_tracer("jiexu")


def spans(tracer: trace.Tracer, records: Iterable[Record], start_ns: int, end_ns: int) -> None:
    """One span for each handled record, below the span of the message that caused it."""
    for record in records:
        try:
            _, trace_id, parent_id, _ = record.said("traceparent").split("-")
            own = UUID(record.said("ce_id")).int >> _HALF
            parent = SpanContext(int(trace_id, 16), int(parent_id, 16), True, TraceFlags(1))
        except ValueError:
            continue
        token = _span_id.set(own)
        span = tracer.start_span(
            record.type,
            context=trace.set_span_in_context(NonRecordingSpan(parent)),
            kind=SpanKind.CONSUMER,
            start_time=start_ns,
            attributes={"jiexu.lane": record.said("lane"), "jiexu.seq": record.said("seq")},
        )
        _span_id.reset(token)
        span.end(end_ns)
