"""THE saga, read top to bottom: what each message leads to in each state of a transfer.

O is the origin, D the destination. Two legs, each with a state of its own; money begins when the
record is released, and either may end first. A transfer is closed when both are at an end (=), and
open again if one of them moves on:

  record  opened → releasing → released → joined =
          disputed by D (joined too, when months came late): disputed → released, the next version
          before the release: refused =, withdrawn =, not_needed =; O withholds it: refused =
          reversed by two people: restoring → restored =
  money   pending → released (O owes it) → advanced (D has credited it) → funded = (O's has come)
          withheld (by O, for now); awaiting_funds (no advance: credited when O's comes)
          short, over (less has come, or more, until people at D send it back or O owes more)
          paid_out = (by O, where nothing is transferred); none = (there is none)
          and back: restoring → restored =; recovering → recovered =; written_off =;
          returned_to_origin =; which of them, `money_of` (chapter 5) makes of the facts

  deadline      owed by  until (the policy's working days, as shipped)
  answer        O        it takes the request or refuses it (1)
  transfer-out  O        the record is released (10)
  transfer-in   D        the months are joined (5)
  whole         O        the transfer is closed (15 of D's calendar, or when the sheet is paid)
  funds         O        it lets go of withheld money: O's own date; on it, O is asked again

The pivot is the release of the record (from then on `version` is 1 and more): before it a person
may still withdraw, after it the saga goes forward, or compensates by new acts (chapters 3, 4, 7).
Who moves on, A→B→C, has two transfers: what comes to B later, B's record and books pass on to C.
Messages of one service about one person come in order, and each is heard once, by its id. `decide`
is pure; each `case` is a sentence: in this state, on this message, go there and say this. What says
again what is known, or comes too late, is ignored with the reason; what is not written here means
nothing and is refused as a dead letter. Operators pause, resume and retry (`repair`), which also
says what a transfer waits for, of whom and what can be done.
"""

from datetime import datetime

from services.transfer import closing, repair
from services.transfer import commands as c
from services.transfer import compensation as back
from services.transfer.commands import Opening
from services.transfer.states import (
    MONEY_ENDS,
    Funds,
    Money,
    Record,
    Step,
    Transfer,
    answer,
    because,
    go,
    ignore,
    let_go,
    with_deadline,
    without_deadline,
)
from shared.calendar import shanghai_day
from shared.decision import Unexpected, replace
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import transfer as t
from shared.policy import Corridor
from shared.regions import Regions


def decide(now: Transfer | None, message: Message, at: datetime, regions: Regions) -> Step:
    """What `message` leads to at business time `at`. Raises Unexpected for what means nothing."""
    if isinstance(message, Opening):
        return closing.close(_open(now, message, at, regions), None, at)
    if now is None:
        return c.unknown(message)
    rules = regions.corridor(now.origin, now.destination, shanghai_day(now.opened_at))
    match message:
        case (
            e.ReleaseAccepted()
            | e.ReleaseRefused()
            | e.RecordReleased()
            | e.ReleaseCancelled()
            | e.PersonDeceased()
            | t.Withdraw()
        ):
            step = _release(now, message, at, regions, rules)
        case e.RecordJoined() | e.RecordDisputed() | e.RecordCorrected() | e.RecordWithheld():
            step = _join(now, message, at, regions)
        case s.FundsReleased() | s.NothingToRelease() | s.FundsWithheld() | s.FundsCorrected():
            step = _announce(now, message, at, regions, rules)
        case s.AdvanceCredited() | s.AdvanceDeclined() | s.Applied() | s.PaidOut():
            step = _fund(now, message, at, regions, rules)
        case t.Reverse() | e.RecordRestored() | e.RestoreRefused():
            step = _reverse(now, message, at, regions, rules)
        case k.AdvanceReversed() | k.AdvanceAdjusted() | k.FundsRestored() | k.ClaimChanged():
            step = _compensate(now, message, at, regions, rules)
        case t.Remind():  # the clock may have been set back since the timer was due
            step = _remind(now, max(at, message.due_at), regions, rules)
        case t.Pause() | t.Retry():
            step = repair.act(now, message, at, rules)
        case t.Resume():
            step = repair.resume(now, message, _remind(repair.unpaused(now), at, regions, rules))
        case _:
            raise Unexpected("not_for_saga", f"{message.type} is not for a transfer")
    return repair.keep(closing.close(step, now, at))


# ── 1. Open ───────────────────────────────────────────────────────────────────────────────────


def _open(now: Transfer | None, message: Opening, at: datetime, regions: Regions) -> Step:
    """A registration, where D's policy starts such transfers by itself; an application; or the end
    of cover at O, which had refused because it went on.
    """
    match message:
        case _ if now is not None:
            return ignore(now, "this transfer was opened already")
        case _ if message.transfer is None:
            return ignore(None, "no transfer was asked for")
        case _ if message.origin is None or message.origin == message.to:
            return ignore(None, "nothing is known of another region to transfer from")
        case _ if regions.get(message.origin) is None:
            return ignore(None, "the origin has not joined the network")
        case e.Registered(action=action) if action != "enroll":
            return ignore(None, f"`{action}` starts no transfer")
        case e.RegistrationRefused():
            refused = replace(
                c.new_transfer(message, at, regions),
                record="refused",
                money="none",
                reason=message.code,
            )
            return go(refused, "the destination's rules refuse the application")
    new = c.new_transfer(message, at, regions)
    rules = regions.corridor(new.origin, new.destination, shanghai_day(at))
    if not rules.needs_transfer(new.pair):
        ended = replace(new, record="not_needed", money="none")
        return go(ended, "cover goes on here without a transfer")
    if isinstance(message, e.Registered) and not rules.automatic(new.pair):
        return ignore(None, "the destination starts such transfers on application")
    due = regions.calendar(new.origin).deadline(at, rules.deadlines.answer)
    asked = with_deadline(new, "answer", due)
    return go(asked, "ask the origin to release the record", c.release_record(new))


# ── 2. Release, withdrawal, death ───────────────────────────────────────────────────────────────


def _release(
    now: Transfer, message: Message, at: datetime, regions: Regions, rules: Corridor
) -> Step:
    """The origin decides: in the race with withdrawing or dying, and between two destinations,
    each with a transfer of its own: the second is refused (`duplicate`).
    """
    match (now.record, message):
        case ("opened", e.ReleaseAccepted()):
            out = regions.calendar(now.origin).deadline(at, rules.deadlines.transfer_out)
            due = regions.calendar(now.destination).deadline(at, rules.deadlines.whole)
            new = replace(now, record="releasing", accepted_at=at, due_at=due)
            new = with_deadline(without_deadline(new, "answer"), "transfer-out", out)
            return go(with_deadline(new, "whole", due), "the origin took the request (受理)")
        case ("opened" | "releasing", e.ReleaseRefused(code=code)):
            ended: Record = "withdrawn" if code == "deceased" or now.withdrawing else "refused"
            why = now.withdrawing or code
            new = replace(now, record=ended, money="none", reason=why)
            told = [closing.withdrawn(new)] if now.withdrawing else []
            return go(new, "the origin does not release the record", *told)
        case ("opened" | "releasing", e.RecordReleased()):
            return _past_pivot(now, message, at, regions, rules)
        case ("opened" | "releasing" | "refused", t.Withdraw()) if now.withdrawing:
            return ignore(now, "it was withdrawn already and the origin is asked")
        case ("opened" | "releasing" | "refused", t.Withdraw()) if c.may_withdraw(now):
            new = replace(now, withdrawing="withdrawn")
            return go(new, "ask the origin to forget it", c.cancel_release(now))
        case ("opened" | "releasing", e.PersonDeceased()):
            new = replace(now, withdrawing="deceased", deceased=True)
            why = "nothing was released yet: ask the origin to forget it"
            return go(new, why, c.cancel_release(now))
        case ("opened" | "releasing" | "refused", e.ReleaseCancelled()) if now.withdrawing:
            code = now.withdrawing
            new = replace(now, record="withdrawn", money="none", reason=code)
            return go(new, "the origin has forgotten the request", closing.withdrawn(new))
        case (_, e.PersonDeceased()) if now.version:
            why = "record and money go on; D's books know it: no advance more, and heirs are paid"
            return go(replace(now, deceased=True), why)
        case ("released" | "joined" | "disputed" | "restoring" | "restored", t.Withdraw()):
            return answer(now, "the record was released already", c.too_late(now))
        case ("refused" | "withdrawn" | "not_needed", t.Withdraw()):
            return answer(now, "the transfer has ended already", c.too_late(now, "already-ended"))
        case ("releasing" | "released" | "joined" | "disputed", e.ReleaseAccepted()):
            return ignore(now, "the origin had accepted already")
        case (_, e.RecordReleased()) if now.version:
            return ignore(now, "this record was released already, and later versions are known")
        case ("released" | "joined" | "disputed", e.ReleaseCancelled()):
            return ignore(now, "the origin was quicker: the record was released before")
        case ("refused" | "withdrawn", e.ReleaseCancelled()):
            return ignore(now, "the transfer has ended already")
        case (
            "refused" | "withdrawn" | "not_needed",
            e.PersonDeceased() | e.ReleaseAccepted() | e.ReleaseRefused(),
        ):
            return ignore(now, "the transfer has ended already")
    raise Unexpected("impossible", f"{message.type} cannot come while the record is {now.record}")


def _past_pivot(
    now: Transfer, message: e.RecordReleased, at: datetime, regions: Regions, rules: Corridor
) -> Step:
    """The record is out of the origin's hands: both legs start, side by side."""
    new = replace(now, record="released", version=message.version, withdrawing=None)
    new = without_deadline(new, "answer", "transfer-out")
    due_in = regions.calendar(now.destination).deadline(at, rules.deadlines.transfer_in)
    new = with_deadline(new, "transfer-in", due_in)
    if new.accepted_at is None:
        due = regions.calendar(now.destination).deadline(at, rules.deadlines.whole)
        new = with_deadline(replace(new, accepted_at=at, due_at=due), "whole", due)
    say: list[Message] = [c.join_record(now, message)]
    if rules.moves_money(now.pair, account_at_destination=now.account) and message.account:
        say.append(c.release_funds(now))
    elif message.account and rules.payout == "pay_out":
        say.append(c.pay_out(now))
    else:
        new = replace(new, money="none")
    if now.withdrawing == "withdrawn":
        say.append(c.too_late(now))
    return go(new, "the record is released (the pivot): D joins it, O releases the funds", *say)


# ── 3. Join the record ────────────────────────────────────────────────────────────────────────


def _join(now: Transfer, message: Message, at: datetime, regions: Regions) -> Step:
    """The destination joins the months, or disputes them and the origin corrects or withholds."""
    match (now.record, message):
        case (_, e.RecordDisputed(version=v)) if v and v < now.version:
            return ignore(now, "an answer to an earlier version of the record")
        case ("released", e.RecordJoined(version=v)):  # the next version may be under way already
            new = replace(now, record="joined", joined_version=v or now.version)
            new = without_deadline(new, "transfer-in")
            why = "the months are joined: the relation at the origin ends"
            return go(new, why, c.terminate_record(new))
        case ("restoring", e.RecordJoined(version=v)) if not now.joined_version:
            new = replace(now, joined_version=v or now.version)
            why = "joined before D was asked to take the months out, and it may refuse to"
            return go(new, why, c.terminate_record(new))
        case ("joined", e.RecordJoined(version=v)) if now.joined_version < (v or now.version):
            new = replace(now, joined_version=v or now.version)
            return go(new, "months that came late are joined")
        case ("released" | "joined", e.RecordDisputed(code=code)) if (
            now.joined_version < now.version
        ):
            new = replace(now, record="disputed", stopped_at=at, reason=code)
            why = "the origin is asked for a correction; the clocks stand still"
            return go(new, why, c.correct_record(new))
        case ("released" | "disputed", e.RecordCorrected(version=version)) if version > now.version:
            again = replace(now, record="released", version=version, reason=None)
            more = c.join_record(now, message)
            again = c.clocks_go_on(again, at, regions)
            return go(again, "the corrected record is joined; the clocks go on", more)
        case ("joined", e.RecordCorrected(version=version)) if version > now.version:
            more = c.join_record(now, message)
            return go(replace(now, version=version), "months that came late are joined too", more)
        case ("restoring", e.RecordCorrected(version=version)) if (
            version > now.version and not now.months_out
        ):
            new = repair.later(replace(now, version=version), c.join_record(now, message))
            return go(new, "months that came late are joined, should D refuse to let go of it")
        case ("disputed", e.RecordWithheld(code=code)):  # O cannot correct it, or will not
            new = replace(now, record="refused", reason="record-withheld")
            new = without_deadline(c.clocks_go_on(new, at, regions), "transfer-in")
            out = [back.restore_record(new, now.destination)] if now.joined_version else []
            # O has suspended its relation itself; the money goes back as after a reversal.
            new, *say = back.reverse_once_answered(replace(new, reversing="record-withheld"))
            return go(new, f"the origin withholds the record: go back ({code})", *out, *say)
        case ("restoring" | "restored", _):
            return ignore(now, "the record goes back to the origin")
        case (
            "released" | "joined" | "refused" | "disputed",
            e.RecordJoined() | e.RecordDisputed() | e.RecordWithheld(),
        ):
            return ignore(now, "D has answered this version of the record, or it has ended")
        case (_, e.RecordCorrected(version=version)) if version <= now.version:
            return ignore(now, "this version of the record is known")
    raise Unexpected("impossible", f"{message.type} cannot come while the record is {now.record}")


# ── 4. The money is announced, and advanced ───────────────────────────────────────────────────


def _announce(
    now: Transfer, message: Message, at: datetime, regions: Regions, rules: Corridor
) -> Step:
    """O says what it owes; D is to credit it in advance, where rules, limits and life allow."""
    if now.version == 0:
        raise Unexpected("impossible", f"{message.type} before the record was released")
    match (now.money, message):
        case (money, s.FundsReleased()) if message.version > now.funds.version and (
            money in ("pending", "withheld") or now.reversing
        ):
            owed = message.owed_fen
            funds = replace(now.funds, version=message.version, released=owed)
            new = let_go(replace(now, funds=funds, money="released"))
            new = c.due_as_settled(now, new, message, regions)
            credit = c.credit_advance(new, message.version, owed, message.released_on, rules)
            # On the way back already it is credited and taken back, so that the books show both.
            new, *more = back.reverse_money(new)
            return go(new, "O owes the money: credit it in advance", credit, *more)
        case (money, s.FundsCorrected(version=version)) if (
            version > now.funds.version and money not in ("paid_out", "withheld")
        ):
            owed = now.funds.released + message.delta_fen
            funds = replace(now.funds, version=version, released=owed)
            if message.delta_fen < 0:
                funds = replace(funds, adjusting=version)
            new = back.reopened(
                replace(now, funds=funds, money=money_of(funds)), at, regions, rules
            )
            if message.delta_fen < 0:
                less = back.adjust_advance(new, version, -message.delta_fen)
                return go(new, "O owes less than it said: take the difference back", less)
            new = c.due_as_settled(now, new, message, regions)
            credit = c.credit_advance(new, version, message.delta_fen, message.released_on, rules)
            new, *more = back.reverse_money(new)
            return go(new, "O owes more than it said: credit the difference", credit, *more)
        case ("pending" | "withheld", s.NothingToRelease()):
            return go(let_go(replace(now, money="none")), "there is no money to move")
        case ("pending", s.FundsWithheld()) if back.goes_back(now):
            why = "O holds the money, and keeps it: the transfer goes back"
            return go(replace(now, money="none"), why)
        case ("pending" | "withheld", s.FundsWithheld(until=until, code=code)):
            new = replace(now, money="withheld", withheld_until=until)
            new = c.ask_again(replace(new, reason=because(now, code)), until, at)
            return go(new, "O holds the money back: it is asked again on its date")
    return ignore(now, "O has said this, or more, already, or the money has gone another way")


# ── 5. The funds arrive ───────────────────────────────────────────────────────────────────────


def money_of(funds: Funds) -> Money:
    """The state of the money, from the facts (`Funds` names them): the first that applies."""
    answered = funds.answered == funds.version
    facts: tuple[tuple[int, Money], ...] = (
        (funds.reversals > funds.restorations, "restoring"),
        (funds.excess, "over"),
        ((funds.open or funds.awaiting) and funds.matched, "short"),
        (funds.open, "advanced"),
        (funds.awaiting and answered, "awaiting_funds"),
        (funds.awaiting or funds.adjusting > funds.answered, "released"),
        (funds.recoverable, "recovering"),
        (funds.written_off, "written_off"),
        (funds.recovered, "recovered"),
        (funds.restored, "restored"),
        (funds.paid_out, "paid_out"),
        (funds.matched, "funded"),
        (funds.sent_back, "returned_to_origin"),
    )
    return next((money for fact, money in facts if fact), "none")


def _fund(now: Transfer, message: Message, at: datetime, regions: Regions, rules: Corridor) -> Step:
    """O has paid the account out, or D's books say what was credited and what has come of it."""
    funds = now.funds
    new = now
    match message:
        case s.PaidOut(amount_fen=amount, total_fen=total) if now.version and not funds.version:
            paid = funds.paid_out + amount if total is None else max(total, funds.paid_out)
            funds = replace(funds, paid_out=paid)
            new = let_go(replace(now, funds=funds, money=money_of(funds)))
            return go(new, "O paid the account out")
        case _ if funds.version == 0 or isinstance(message, s.PaidOut):
            raise Unexpected("impossible", f"{message.type} while the money is {now.money}")
        case s.AdvanceCredited() | s.AdvanceDeclined() if funds.awaiting == 0:
            return ignore(now, "all that was announced is credited already, or was taken back")
        case s.AdvanceCredited():
            funds = replace(
                funds,
                answered=max(funds.answered, message.version),
                credited=message.credited_fen,
                open=message.open_fen,
            )
            new = replace(now, advanced_at=now.advanced_at or at, reason=because(now, None))
            why = "the person has the money; what of it is open, O still has to send"
        case s.AdvanceDeclined(code=code):
            funds = replace(funds, answered=max(funds.answered, message.version))
            new = replace(now, reason=because(now, code))
            why = "no advance: D's books credit it once the limit allows it, or the money comes"
        case s.Applied():
            why = "money arrived and was applied"
            funds = back.arrived(funds, message)
    reason = new.reason if funds.awaiting else because(now, None)
    new = replace(new, funds=funds, money=money_of(funds), reason=reason)
    new, *say = back.reverse_once_answered(new)
    new = new if new.money in MONEY_ENDS else back.reopened(new, at, regions, rules)
    return go(new, why, *say)


# ── 6. Deadlines ──────────────────────────────────────────────────────────────────────────────


def _remind(now: Transfer, at: datetime, regions: Regions, rules: Corridor) -> Step:
    """A missed step: the region that owes it is urged, and every few working days the matter goes
    a level higher there, to the third and no further. O is asked again for money that it withholds.
    """
    if now.stopped_at or now.paused:
        return ignore(now, "the clocks stand still: the record is disputed, or it is paused")
    if now.closed_at:
        return ignore(now, "the transfer has ended")
    due = [d for d in now.deadlines if d.due_at <= at]
    if not due:
        return ignore(now, "the step was done in time")
    say, deadlines = c.urge(now, due, at, regions, rules)
    late = now.overdue or any(d.step != "funds" for d in due)
    new = replace(now, deadlines=deadlines, overdue=late)
    return go(new, "a step is late: urge whoever owes it, then escalate", *say)


# ── 7. Compensation: the way back, by new acts ────────────────────────────────────────────────
# The money (`back.reverse_money`): D takes back what is unspent (reverse-advance), O gives it to
# the person again (restore-funds); what was spent stays owed by O, or is recovered.


def _reverse(
    now: Transfer, message: Message, at: datetime, regions: Regions, rules: Corridor
) -> Step:
    """Two people go back on a release: first D's months come out, unless they have moved on."""
    match (now.record, message):
        case (_, t.Reverse()) if not message.by_two:
            return answer(now, "one alone may not", back.reversal_refused(now, "needs_two_people"))
        case (_, t.Reverse()) if now.record == "restoring":
            return ignore(now, "it is being reversed already")
        case (_, t.Reverse()) if code := back.may_not_reverse(now):
            return answer(now, "it cannot be reversed", back.reversal_refused(now, code))
        case (_, t.Reverse(reason=reason)):
            new = c.clocks_go_on(replace(now, reversing=reason), at, regions)
            new = replace(new, record="restoring", reason=reason)
            new = back.reopened(without_deadline(new, "transfer-in"), at, regions, rules)
            by = f"{message.proposed_by}, {message.approved_by}: {message.why or reason}"
            first = back.restore_record(new, now.destination)
            return go(new, f"reversed by two people ({by}): D takes the months out", first)
        case ("restoring", e.RestoreRefused(code=code)) if not now.months_out:
            new = back.stays(now, at, regions, rules)
            told = [back.reversal_refused(now, code), *repair.unjoined(now)]
            return go(new, f"D cannot take the months out ({code}): it stays", *told)
        case ("restoring", e.RecordRestored(region=region)) if region == now.destination:
            if now.months_out:
                return ignore(now, "D has said so already")
            new, *say = back.reverse_once_answered(replace(now, months_out=True))
            more = back.restore_record(now, now.origin)
            return go(new, "the months are out: O takes the record back, D the money", more, *say)
        case ("restoring", e.RecordRestored()) if now.months_out:
            return go(replace(now, record="restored"), "O has the record again, suspended")
        case ("refused", e.RestoreRefused()):
            return ignore(now, "the next region has asked D for the months: they go on with that")
        case ("restored" | "refused", e.RecordRestored()):
            return ignore(now, "the record is where it belongs already")
    raise Unexpected("impossible", f"{message.type} cannot come while the record is {now.record}")


def _compensate(
    now: Transfer, message: Message, at: datetime, regions: Regions, rules: Corridor
) -> Step:
    """The books were corrected or went back: the facts follow, and what was closed is open again
    if need be.
    """
    funds, say = now.funds, []
    if funds.version == 0:
        raise Unexpected("impossible", f"{message.type} while the money is {now.money}")
    match message:
        case k.AdvanceReversed(number=n) | k.FundsRestored(number=n) if n > funds.reversals:
            raise Unexpected("impossible", f"{message.type}: nobody asked for it")
        case k.FundsRestored(number=number) if number <= funds.restorations:
            return ignore(now, "O has restored it already")
        case k.FundsRestored():
            funds = back.given_back(funds, message)
            why = "what was unspent is in the account at the origin again"
        case k.AdvanceReversed(number=number) if number <= funds.reversed:
            return ignore(now, "D has said so already")
        case k.AdvanceReversed():
            funds = back.taken(funds, message)
            say = [back.restore_funds(replace(now, funds=funds), message.amount_fen)]
            why = "D took back what was unspent: O gives it back to the person"
        case k.AdvanceAdjusted(version=version):
            funds = replace(funds, answered=max(funds.answered, version))
            funds, why = back.changed(funds, message), "D took back what O does not owe"
        case _:
            assert isinstance(message, k.ClaimChanged)
            funds, why = back.changed(funds, message), back.why(message)
    reason = now.reason if funds.awaiting else because(now, None)
    new = replace(now, funds=funds, money=money_of(funds), reason=reason)
    new, *more = back.reverse_once_answered(new)
    new = new if new.money in MONEY_ENDS else back.reopened(new, at, regions, rules)
    return go(new, why, *say, *more)
