"""Where a reader begins: where its lanes stand, if Kafka still has all from there on. PURE."""

from collections.abc import Mapping

Where = tuple[str, int]
_OUTSIDE = "upstream."


class Missing(Exception):
    """Kafka lacks what a lane has before it; the message says what to do."""


def starts(
    known: Mapping[Where, int], bounds: Mapping[Where, tuple[int, int]]
) -> tuple[dict[Where, int], dict[Where, int]]:
    """The offset to begin at of each partition, and of those that come from outside, how many
    records Kafka has deleted unread: nobody here has them, and their senders send again.

    `known` are the lanes' next offsets, `bounds` the first and the next of Kafka. Raises Missing
    where Kafka has less than the lanes have handled, for going on would pass over whatever comes
    there until the numbers meet again; and where it has deleted what one of our own topics held
    unread, for the outbox of its sender may still have it.
    """
    begin, deleted = dict(known), {}
    for where, (first, end) in bounds.items():
        ours = known[where]
        if ours > end:
            raise Missing(
                f"{where} ends at {end}, {ours} were handled:"
                " if Kafka was lost: jiexu restore --kafka-lost"
            )
        # A lane that has read nothing yet was not there when the others began.
        if 0 < ours < first and not where[0].startswith(_OUTSIDE):
            raise Missing(
                f"{where} begins at {first}, read to {ours}, the rest was deleted unread: the"
                " outboxes have it for as long as JIEXU_OUTBOX_DAYS: jiexu restore --kafka-lost"
            )
        if 0 < ours < first:
            deleted[where] = first - ours
        begin[where] = max(ours, first)
    return begin, deleted
