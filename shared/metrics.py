"""Prometheus metrics of the chassis; a key, a name or an id is never a label."""

from prometheus_client import Counter, Gauge, Histogram

HANDLED = Counter("jiexu_messages_handled_total", "Messages handled", ["service"])
REFUSED = Counter("jiexu_messages_refused_total", "Messages set aside", ["service"])
SAID = Counter("jiexu_messages_said_total", "What was said, by type: what happened", ["type"])
LETTERS = Gauge("jiexu_dead_letters", "Messages set aside that wait", ["service", "state"])
PUBLISHED = Gauge("jiexu_messages_published", "Messages published by this process", ["service"])
WAITING = Gauge("jiexu_outbox_waiting", "Committed, not yet acknowledged by Kafka", ["service"])
BATCH = Histogram(
    "jiexu_batch_records",
    "Records per batch",
    ["reader"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
SECONDS = Histogram(
    "jiexu_batch_seconds",
    "Time of a batch, from Kafka to the commit",
    ["reader"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
UNWELL = Counter("jiexu_unwell_total", "Batches put off because the world was unwell", ["reader"])
COMMIT_FAILED = Counter("jiexu_commit_failed_total", "Kafka offset commits that failed")
LAG = Gauge("jiexu_lag", "Messages not handled yet", ["reader"])
LOOP = Histogram(
    "jiexu_loop_lag_seconds",
    "How late the event loop is",
    ["service"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 1, 5),
)
