"""A maker proposes an act, a checker approves or rejects it: always two people.

What they may do is looked at when the message is handled, so that two who act at once are told
the same story in the same order.
"""

from collections.abc import Mapping
from uuid import UUID

from pydantic import ValidationError

from services.settlement.books import Books
from services.settlement.people import corrections
from services.settlement.people.acts import ACTS, Act
from services.settlement.people.items import about, item_of, keep, refuse
from services.settlement.people.states import BOOKS, Item, item_id
from shared.decision import Unexpected, replace
from shared.messages import Message
from shared.messages.enrollment import AmendRecord, DropAmendment
from shared.messages.settlement_people import (
    ActApproved,
    ActProposed,
    ActRefused,
    ActRejected,
    Approve,
    ItemCommand,
    Propose,
    Reject,
)


def propose(books: Books, m: Propose) -> None:
    """A maker proposes an act on an item, or opens one by it."""
    act = ACTS.get(m.act)
    meant = act_of(m.act, m.body, m.by, "", m.reason, m.why)
    if act is None or meant is None:
        raise Unexpected("unknown_act", f"{m.act} cannot be proposed like this")
    known = item_of(books, m.item)
    subject = act.subject_of(meant)
    found = known or Item(m.about, m.item, act.queue, m.to, subject, m.by, books.at)
    code = _not_proposed(m, act, meant, known)
    if code is not None:
        refuse(books, found, code, m.by, m.act)
        return
    proposed = replace(
        found,
        state="proposed",
        amount_fen=_amount(books, act, meant, found),
        proposal=books.cause,
        act=m.act,
        body=m.body,
        reason=m.reason,
        why=m.why,
        proposed_by=m.by,
        proposed_at=books.at,
        decided_by=None,
        decided_at=None,
    )
    keep(books, proposed, "proposed", m.by, code=m.reason, why=m.why)
    books.say(
        ActProposed(
            **about(proposed),
            proposal=books.cause,
            act=m.act,
            body=m.body,
            by=m.by,
            reason=m.reason,
            why=m.why,
        )
    )


def act_of(
    name: str, body: Mapping[str, object], maker: str, checker: str, reason: str, why: str
) -> Message | None:
    """The act that is proposed; None where it is none, or not like this."""
    act = ACTS.get(name)
    if act is None:
        return None
    names = {"proposed_by": maker, "approved_by": checker, "reason": reason, "why": why}
    try:
        return act.message.model_validate({**body, **names})
    except ValidationError:
        return None


def _amount(books: Books, act: Act, meant: Message, item: Item) -> int | None:
    """How much it moves: as it says, or as the item does. What becomes of a balance is not to look
    small: taking it away is as much as giving it, and leaving it as much as what was asked.
    """
    if isinstance(meant, AmendRecord) and meant.balance_fen is not None:
        return corrections.changes_fen(books, meant, meant.balance_fen)
    if isinstance(meant, AmendRecord | DropAmendment):
        asked = (item.facts or {}).get("balance_fen")
        return corrections.changes_fen(books, meant, asked if isinstance(asked, int) else None)
    amount_fen = act.amount_of(meant)
    return item.amount_fen if amount_fen is None else amount_fen


def _not_proposed(m: Propose, act: Act, meant: Message, known: Item | None) -> str | None:
    if not m.roles:
        return "not_allowed"
    if m.reason not in act.reasons:
        return "unknown_reason"
    if meant.to != m.to or (known and known.region != m.to):
        return "other_region"
    subject = act.subject_of(meant)
    if known is None:
        return None if m.item == item_id(act.queue, m.to, subject) else "other_queue"
    return _not_for(known, act, subject)


def _not_for(item: Item, act: Act, subject: str) -> str | None:
    if item.queue not in {act.queue, *act.on}:
        return "other_queue"
    if item.subject != subject:
        return "other_subject"
    # What is under way changes what another would be measured by.
    if item.queue == "correction" and item.state == "approved":
        return "already_decided"
    return "already_proposed" if item.state == "proposed" else None


def approve(books: Books, m: Approve) -> None:
    """The checker approves: the act is said with both names, and travels like any message."""
    known = item_of(books, m.item)
    code = _not_decided(m, known, m.proposal) or _not_approved(books, m, known)
    if code is not None or known is None:
        _turn_down(books, m, known, code or "unknown_item")
        return
    said = act_of(
        known.act or "",
        known.body or {},
        known.proposed_by or "",
        m.by,
        known.reason or "",
        known.why or m.why,
    )
    if said is None:
        raise Unexpected("unknown_act", f"{known.act} cannot be given any more")
    approved = replace(known, state="approved", decided_by=m.by, decided_at=books.at)
    keep(books, approved, "approved", m.by, why=m.why)
    books.say(
        ActApproved(
            **about(approved),
            proposal=_proposal(known),
            act=said.type,
            by=m.by,
            why=m.why,
        ),
        said,
    )


def reject(books: Books, m: Reject) -> None:
    """The checker refuses, or the maker takes it back: what the books opened waits again."""
    known = item_of(books, m.item)
    code = _not_decided(m, known, m.proposal)
    if code is not None or known is None:
        _turn_down(books, m, known, code or "unknown_item")
        return
    rejected = replace(
        known,
        state="open" if known.opened_by == BOOKS else "rejected",
        decided_by=m.by,
        decided_at=books.at,
    )
    keep(books, rejected, "rejected", m.by, why=m.why)
    books.say(
        ActRejected(
            **about(rejected),
            proposal=_proposal(known),
            act=known.act or "",
            by=m.by,
            why=m.why,
        )
    )


def _not_decided(m: ItemCommand, known: Item | None, proposal: UUID | None) -> str | None:
    if known is None:
        return "unknown_item"
    if not m.roles:
        return "not_allowed"
    if known.state == "open":
        return "nothing_proposed"
    if known.state != "proposed":
        return "already_decided"
    return None if proposal in {None, known.proposal} else "changed_meanwhile"


def _not_approved(books: Books, m: Approve, known: Item | None) -> str | None:
    if known is None:
        return "unknown_item"
    if m.by == known.proposed_by:
        return "same_person"
    act = ACTS.get(known.act or "")
    queue = act.queue if act else known.queue
    allowed = books.policy(known.region).may_approve(m.roles, queue, known.amount_fen)
    return None if allowed else "not_allowed"


def _turn_down(books: Books, m: ItemCommand, known: Item | None, code: str) -> None:
    if known is not None:
        refuse(books, known, code, m.by, known.act)
        return
    books.say(
        ActRefused(to=m.to, item=m.item, about=m.about, queue="", subject="", code=code, by=m.by)
    )


def _proposal(item: Item) -> UUID:
    assert item.proposal, item.item
    return item.proposal
