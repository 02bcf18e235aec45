"""Credits of the bank: booked to suspense, judged part by part, reserved for the claims they are
for. Reserving happens under the corridor's lock; the person hears of it by `apply-receipt`.
"""

from collections.abc import Sequence
from uuid import UUID

from services.settlement import ledger, reconciliation
from services.settlement.books import Books
from services.settlement.evidence import evidence_of, kept
from services.settlement.netting import positions
from services.settlement.payments import take_back
from services.settlement.people import items
from services.settlement.people.states import part_subject
from services.settlement.reconciliation import UNDONE, Finding
from services.settlement.states import Claim, Part, Receipt, look_of
from services.settlement.verdicts import is_late
from shared.decision import Unexpected, replace
from shared.messages.settlement import (
    ApplyReceipt,
    Detail,
    ReceiptUnmatched,
    RecordReceipt,
)


def record_receipt(books: Books, m: RecordReceipt) -> None:
    """Books a credit, and reserves what of it is known to belong to a claim."""
    if m.amount_fen <= 0:
        raise Unexpected("bad_amount", "a credit is above zero")
    known = books.receipt(m.receipt)
    if known is not None:
        if (known.account, known.amount_fen) != (m.account, m.amount_fen):
            raise Unexpected("conflict", "the receipt was booked with another content")
        return
    parts = [_part(m, number, detail) for number, detail in enumerate(_details(m))]
    judged: list[Part] = []
    for part, detail in zip(parts, _details(m), strict=True):
        back_fen = take_back(books, m, part, detail)
        judged.append(_returned(part, back_fen) if back_fen else part)
    suspended_fen = sum(part.suspended_fen for part in judged)
    books.keep_receipt(_receipt(books, m, "suspense" if suspended_fen else "returned"))
    books.post(
        "receipt",
        m.to,
        ledger.received(m.bank, suspended_fen),
        person=m.account,
        subject=m.receipt,
    )
    for part in judged:
        books.keep_part(part)
        if part.rest_fen and not positions.receive(books, m, part):
            _match(books, part, m)


def _details(m: RecordReceipt) -> Sequence[Detail]:
    """The payments of the entry; one without details where they do not add up to it."""
    amounts = [detail.amount_fen for detail in m.details]
    if amounts and min(amounts) > 0 and sum(amounts) == m.amount_fen:
        return m.details
    return (Detail(amount_fen=m.amount_fen),)


def _part(m: RecordReceipt, number: int, detail: Detail) -> Part:
    return Part(
        receipt=m.receipt,
        part=number,
        region=m.to,
        amount_fen=detail.amount_fen,
        payer_region=detail.payer_region,
        suspended_fen=detail.amount_fen,
        refs=tuple(dict.fromkeys(detail.references)),
        name_keys=detail.name_keys,
    )


def _returned(part: Part, back_fen: int) -> Part:
    rest_fen = part.amount_fen - back_fen
    return replace(
        part,
        suspended_fen=rest_fen,
        verdict="ambiguous" if rest_fen else "returned",
        rule="return",
        evidence={"returned_fen": back_fen},
        transfers=part.refs,
    )


def _receipt(books: Books, m: RecordReceipt, booked: str) -> Receipt:
    return Receipt(
        receipt=m.receipt,
        account=m.account,
        region=m.to,
        bank=m.bank,
        direction="credit",
        amount_fen=m.amount_fen,
        booked_on=m.booked_on,
        value_on=m.value_on,
        reversal=m.reversal,
        booked=booked,
        sealed=m.sealed,
        recorded_at=books.at,
    )


def _match(books: Books, part: Part, m: RecordReceipt) -> None:
    """Judges a new part, and tells if a person must look at it."""
    if part.rule == "return":
        finding = Finding("ambiguous", "return")
    elif m.reversal or any(d.return_code for d in m.details):
        # A payment of ours that came back, and we do not know which: nobody's claim is paid.
        finding = Finding("returned", "return")
        books.keep_part(replace(part, verdict="returned", rule="return", transfers=part.refs))
    else:
        finding = _reserve(books, part)
    left = books.part(part.receipt, part.part) or part
    if finding.asks:
        if left.rest_fen:
            items.open_item(books, item_of(m.account, left), left.rest_fen, facts_of(left))
        books.say(
            ReceiptUnmatched(
                to=m.to,
                account=m.account,
                receipt=part.receipt,
                code=finding.verdict,
                amount_fen=part.rest_fen,
                late=bool((left.evidence or {}).get("late")),
            )
        )


def item_of(account: str, part: Part) -> items.Subject:
    """The item about a part that somebody must look at."""
    return items.Subject("receipt", part.region, account, part_subject(part.receipt, part.part))


def facts_of(part: Part) -> dict[str, object]:
    """What a person has to know of a part that waits: the rest is shown with the receipt."""
    return {
        "receipt": str(part.receipt),
        "part": part.part,
        "verdict": part.verdict,
        "rule": part.rule,
    }


def reserve_waiting(books: Books, claim: Claim) -> None:
    """A claim was announced or grew: what came before it, or in excess of it, is matched anew."""
    looks = [claim.transfer.hex, look_of(claim.region, claim.origin, claim.announced_fen)]
    seen: set[tuple[UUID, int]] = set()
    for look in looks:
        for part in books.waiting(look):
            if (part.receipt, part.part) in seen or part.region != claim.region:
                continue
            seen.add((part.receipt, part.part))
            if part.rule in {"return", UNDONE}:
                continue  # whose it is, people say
            current = books.claim(claim.person, claim.transfer) or claim
            if claim.transfer in part.transfers:
                _use_excess(books, part, current)
            elif not part.transfers:
                _reserve(books, part)
            _settle(books, part)


def _settle(books: Books, part: Part) -> None:
    """Nobody has to look any more at what is matched whole."""
    now = books.part(part.receipt, part.part) or part
    if not now.rest_fen:
        items.settle(books, item_of("", part).item, "matched")


def _use_excess(books: Books, part: Part, claim: Claim) -> None:
    """The claim has grown: takes from what had come in excess of it."""
    amount_fen = min(part.rest_fen, claim.available_fen, claim.excess_fen)
    if amount_fen <= 0:
        return
    left_fen = claim.excess_fen - amount_fen
    books.keep_claim(
        replace(claim, reserved_fen=claim.reserved_fen + amount_fen, excess_fen=left_fen)
    )
    books.keep_part(replace(part, reserved_fen=part.reserved_fen + amount_fen))
    late = is_late(books, books.receipt(part.receipt), claim)
    tell_claim(books, part, claim, amount_fen, "excess-anew", late=late)


def _reserve(books: Books, part: Part) -> Finding:
    """Judges a part, keeps the evidence and reserves what the verdict says."""
    evidence = evidence_of(books, part)
    finding = reconciliation.judge(part, evidence)
    reserved_fen = sum(amount_fen for _, amount_fen in finding.reserved)
    receipt = books.receipt(part.receipt)
    late = [is_late(books, receipt, claim) for claim, _ in finding.reserved]
    books.keep_part(
        replace(
            part,
            reserved_fen=part.reserved_fen + reserved_fen,
            verdict=finding.verdict,
            rule=finding.rule,
            evidence=kept(part, evidence, finding) | ({"late": True} if any(late) else {}),
            transfers=tuple(claim.transfer for claim, _ in finding.reserved),
        )
    )
    for (claim, amount_fen), is_so in zip(finding.reserved, late, strict=True):
        books.keep_claim(replace(claim, reserved_fen=claim.reserved_fen + amount_fen))
        tell_claim(books, part, claim, amount_fen, finding.rule, late=is_so)
    return finding


def tell_claim(
    books: Books, part: Part, claim: Claim, amount_fen: int, rule: str, *, late: bool
) -> None:
    """Some of a part is reserved for a claim: its person's lane hears of it."""
    books.say(
        ApplyReceipt(
            to=claim.region,
            person=claim.person,
            transfer=claim.transfer,
            origin=claim.origin,
            receipt=part.receipt,
            part=part.part,
            amount_fen=amount_fen,
            rule=rule,
            late=late,
        )
    )
