"""The stand-in bank of all agencies: takes instructions, pays them late or wrongly, tells by day.

It keeps its books in a folder, so that it can go on where it stopped: `bank.json` is its state,
`truth.jsonl` what it did with each payment and with whom it belongs, `statements/` what it said.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from deploy.sandbox import bank_books, camt, fates, replies
from deploy.sandbox.bank_books import Due
from deploy.sandbox.camt import Detail, Entry
from deploy.sandbox.fates import Fate, Temper
from deploy.sandbox.instructions import Payment, payments
from shared.regions import Entity, Regions

_STRAY_SHARE = 0.2  # per working day: money that belongs to nobody we know
_RETURN_CODE, _REJECT_CODE = "AC03", "AC04"
_FRIDAY = 4


class Bank:
    """Holds the accounts of every agency."""

    def __init__(self, folder: Path, regions: Regions, temper: Temper) -> None:
        """Go on with what is in the folder, or begin there."""
        self._folder = folder
        self._regions = regions
        self._temper = temper
        (folder / "statements").mkdir(parents=True, exist_ok=True)
        self._state = folder / "bank.json"
        self._truth: list[str] = []
        known = self._state.exists()
        self._books = bank_books.read(self._state) if known else bank_books.first(regions)

    def take(self, xml: bytes, day: date) -> int:
        """Take a `pain.001` file; the number of payments, 0 for a file taken before."""
        found = payments(xml)
        if not found or found[0].message in self._books.messages:
            return 0
        self._books.messages.add(found[0].message)
        for payment in found:
            attempt = self._books.taken.get(payment.reference, 0) + 1
            self._books.taken[payment.reference] = attempt
            net = self._temper.realistic and self._is_net(payment)
            fate = fates.PROMPT if net else self._temper.fate(payment.reference, attempt)
            self._plan(payment, fate, day)
            self._tell(day, "taken", payment, fate, payment.amount_fen)
        self._save()
        return len(found)

    def pending(self) -> int:
        """How many payments are still to be made."""
        return sum(len(due) for due in self._books.due.values())

    def will_pay(self, reference: str) -> bool:
        """Whether something is still to come of a payment."""
        return self._books.expects(reference)

    @property
    def folder(self) -> Path:
        """Where it keeps its books, the truth and what it said."""
        return self._folder

    def work(self, day: date) -> list[Path]:
        """Make the payments that are due by the end of this working day; what it sends of it, in
        the order in which it comes.
        """
        late, self._books.late = self._books.late, []
        due = self._due(day)
        moved: dict[str, list[Entry]] = defaultdict(list)
        for account, entry in (*self._paid(day, due), *self._strays(day)):
            moved[account].append(entry)
        files = [
            file
            for account in sorted(moved)
            for entries in camt.pages(moved[account])
            for file in self._state_of(account, day, entries)
        ]
        replied = list(self._replied(day, due))
        self._save()
        return [*replied, *files, *(self._folder.joinpath("statements", name) for name in late)]

    def rest(self) -> list[Path]:
        """The statements that it has not sent yet."""
        late, self._books.late = self._books.late, []
        self._save()
        return [self._folder.joinpath("statements", name) for name in late]

    def _plan(self, payment: Payment, fate: Fate, day: date) -> None:
        for kind, days, fen in fates.steps(
            self._temper, fate, payment.reference, payment.amount_fen
        ):
            self._put(payment, replace(fate, days=days), kind, fen, day)

    def _put(self, payment: Payment, fate: Fate, kind: str, amount_fen: int, day: date) -> None:
        region = self._regions.by_account(payment.debtor_account)
        assert region is not None, "an agency instructs from an account of its own"
        calendar = self._regions.calendar(region[0].code)
        when = calendar.add_working_days(day, fate.days or 0)
        # A lump remittance waits for the last working day of its week.
        while fate.trouble == "lump" and when.weekday() < _FRIDAY:
            following = calendar.add_working_days(when, 1)
            if following.isocalendar().week != when.isocalendar().week:
                break
            when = following
        due = Due(payment, fate, kind, amount_fen)
        self._books.due.setdefault(when.isoformat(), []).append(due)

    def _due(self, day: date) -> list[Due]:
        ready = sorted(due for due in self._books.due if due <= day.isoformat())
        acted = [one for when in ready for one in self._books.due.pop(when)]
        # A bank has an order of its own: by a reference that is as good as drawn.
        return sorted(acted, key=lambda one: (one.payment.reference, one.kind))

    def _paid(self, day: date, acted: Iterable[Due]) -> Iterator[tuple[str, Entry]]:
        lumps: dict[tuple[str, str], list[Due]] = defaultdict(list)
        for due in acted:
            self._tell(day, due.kind, due.payment, due.fate, due.amount_fen)
            account, reference = due.payment.debtor_account, due.payment.reference
            if due.kind in ("reject", "announce"):
                continue
            if due.kind == "return":
                yield (
                    account,
                    self._entry(
                        day,
                        account,
                        [replies.coming_back(due, _RETURN_CODE)],
                        [reference],
                        credit=True,
                    ),
                )
                continue
            if due.kind in fates.TAKEN_BACK.values():
                yield from self._reversed(day, due)
                continue
            debit = self._entry(day, account, [replies.going_out(due)], [reference], credit=False)
            yield account, debit
            if due.fate.trouble in fates.TAKEN_BACK:
                self._books.debits[reference] = debit.bank_reference
            if due.fate.trouble in ("returned", "reversed"):
                continue
            if due.fate.trouble == "lump":
                lumps[account, due.payment.creditor_account].append(due)
                continue
            yield self._credited(day, [due])
        for together in lumps.values():
            yield self._credited(day, together)

    def _reversal(self, day: date, due: Due) -> Entry:
        """The bank takes a debit of its own back, by the reference that the debit has."""
        account, reference = due.payment.debtor_account, due.payment.reference
        debit = self._books.debits.pop(reference)
        return self._entry(
            day, account, [replies.going_out(due)], [reference], credit=True, reverses=debit
        )

    def _reversed(self, day: date, due: Due) -> Iterator[tuple[str, Entry]]:
        """The payer's bank takes its debit back, and the payee's its credit, if there was one: by
        the references that they have.
        """
        account, reference = due.payment.creditor_account, due.payment.reference
        if credit := self._books.credits.pop(reference, None):
            details = [self._incoming(due)]
            yield (
                account,
                self._entry(day, account, details, [reference], credit=False, reverses=credit),
            )
        yield due.payment.debtor_account, self._reversal(day, due)

    def _replied(self, day: date, acted: Sequence[Due]) -> Iterator[Path]:
        """What it says of payments besides: rejections by file, returns one by one."""
        by_file: dict[str, list[Due]] = defaultdict(list)
        for due in acted:
            if due.kind == "reject":
                by_file[due.payment.message].append(due)
            elif due.kind == "announce":
                name = f"R{due.payment.reference[:20]}"
                yield self._put_down(
                    f"{day}-{name}", replies.return_of(name, day, due, _RETURN_CODE)
                )
        for message, rejected in by_file.items():
            content = replies.rejections(f"J{message}", day, rejected, _REJECT_CODE)
            yield self._put_down(f"{day}-J{message}", content)

    def _put_down(self, name: str, content: bytes) -> Path:
        path = self._folder / "statements" / f"{name}.xml"
        path.write_bytes(content)
        return path

    def _credited(self, day: date, together: Sequence[Due]) -> tuple[str, Entry]:
        account = together[0].payment.creditor_account
        details = [self._incoming(due) for due in together]
        true = [due.payment.reference for due in together]
        entry = self._entry(day, account, details, true, credit=True)
        if together[0].fate.trouble == "taken-back":
            self._books.credits[together[0].payment.reference] = entry.bank_reference
        return account, entry

    def _incoming(self, due: Due) -> Detail:
        payer = self._region(due.payment.debtor_account)
        name = fates.name_in(due.payment.remark, due.payment.reference)
        reference, remark = fates.written(due.fate, due.payment.reference, name)
        return Detail(
            amount_fen=due.amount_fen,
            reference=reference,
            debtor=payer.bank.payer_names[0],
            debtor_account=due.payment.debtor_account,
            remark=remark,
        )

    def _strays(self, day: date) -> Iterator[tuple[str, Entry]]:
        random = Random(f"{self._temper.seed}:{day}:stray")
        if not self._temper.realistic or random.random() > _STRAY_SHARE:
            return
        account = random.choice(self._regions.all).bank.income_account
        amount = random.randint(1_00, 900_00)
        detail = Detail(amount, debtor="某某劳务派遣有限公司", remark="往来款")
        yield account, self._entry(day, account, [detail], [""], credit=True)

    def _entry(
        self,
        day: date,
        account: str,
        details: Sequence[Detail],
        true: Sequence[str],
        *,
        credit: bool,
        reverses: str = "",
    ) -> Entry:
        """An entry; `true` are the payments that its details are of, whatever they say."""
        books = self._books.accounts[account]
        books.entries += 1
        name = reverses or f"{account[-6:]}{books.entries:010d}"
        parts = [[ref, one.amount_fen] for ref, one in zip(true, details, strict=True)]
        what = {"what": "entry", "entry": name, "credit": credit, "reversal": bool(reverses)}
        self._write_truth({"day": day.isoformat(), **what, "account": account, "parts": parts})
        return Entry(name, credit, tuple(details), bool(reverses))

    def _state_of(self, account: str, day: date, entries: Sequence[Entry]) -> Iterator[Path]:
        """The statement of a day, as it comes: maybe twice, later, or after a notice."""
        books = self._books.accounts[account]
        books.statements += 1
        name = f"S{account[-6:]}-{books.statements:05d}"
        content = camt.Statement(name, books.statements, account, day, books.balance_fen, entries)
        books.balance_fen = content.closing_fen
        mail = self._temper.mail(name)
        if mail == "noticed":
            yield self._put_down(f"{day}-N{name}", camt.notice(content))
        path = self._put_down(f"{day}-{name}", camt.statement(content))
        if mail == "late":
            self._books.late.append(path.name)
            return
        yield path
        if mail == "twice":
            yield path

    def _is_net(self, payment: Payment) -> bool:
        """As large as a month, and watched: it comes as it should."""
        both = (self._region(payment.debtor_account), self._region(payment.creditor_account))
        return any(one.code == one.province for one in both)

    def _region(self, account: str) -> Entity:
        found = self._regions.by_account(account)
        assert found is not None, "only agencies have accounts here"
        return found[0]

    def _tell(self, day: date, what: str, payment: Payment, fate: Fate, fen: int) -> None:
        self._write_truth(
            {
                "day": day.isoformat(),
                "what": what,
                "reference": payment.reference,
                "from": payment.debtor_account,
                "to": payment.creditor_account,
                "fen": fen,
                "instructed_fen": payment.amount_fen,
                **asdict(fate),
            }
        )

    def _write_truth(self, content: dict[str, Any]) -> None:
        self._truth.append(json.dumps(content, ensure_ascii=False) + "\n")

    def _save(self) -> None:
        with (self._folder / "truth.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(self._truth)
        self._truth.clear()
        bank_books.write(self._state, self._books)
