"""A transfer is one trace: its id and every parent follow from the envelopes alone."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.dead_letters import Record
from shared.outbox import Sent
from shared.tracing import MessageIds, exporter, spans


def record(id_: UUID, correlation: UUID, cause: UUID | None) -> Record:
    now = datetime.now(UTC)
    sent = Sent("l/0", 1, id_, "t", 0, "k", "a.b.v1", now, now, correlation, cause, b"{}")
    headers = dict(sent.headers("/test"))
    return Record("t", 0, 0, 0, "k", headers, b"{}")


def test_a_message_is_a_span_below_the_message_that_caused_it() -> None:
    seen = InMemorySpanExporter()
    provider = TracerProvider(id_generator=MessageIds())
    provider.add_span_processor(SimpleSpanProcessor(seen))
    transfer, first, second = uuid4(), uuid4(), uuid4()
    batch = [record(first, transfer, None), record(second, transfer, first)]

    spans(provider.get_tracer("test"), batch, 1, 2)

    cause, effect = seen.get_finished_spans()
    assert {span.context.trace_id for span in (cause, effect) if span.context} == {transfer.int}
    assert effect.parent
    assert cause.context
    assert effect.parent.span_id == cause.context.span_id == first.int >> 64


def test_without_an_endpoint_nothing_is_traced() -> None:
    assert exporter("transfer", "") is None


def test_a_record_without_a_trace_is_passed_over() -> None:
    seen = InMemorySpanExporter()
    provider = TracerProvider(id_generator=MessageIds())
    provider.add_span_processor(SimpleSpanProcessor(seen))

    spans(provider.get_tracer("test"), [Record("t", 0, 0, 0, "k", {}, b"")], 1, 2)

    assert seen.get_finished_spans() == ()
