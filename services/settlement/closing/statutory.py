"""The cash-basis view (财会〔2017〕28号) of a region's month, derived from its postings. PURE.

The cash books know the bank accounts, 暂收款 (suspense) and 暂付款 (what the bank debited and
nobody instructed). Where one of these meets any other account, income or expenditure is booked;
postings among the others, the advance above all, are memorandum. By double entry

    income - expenditure + change of 暂收款 - change of 暂付款 = change of the bank accounts,

and `balanced` says whether that holds against the balances, which are kept apart from the postings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["income", "expenditure"]
Turnover = tuple[str, str, int]
"""Debit account, credit account, fen."""

_CASH = frozenset({"bank", "suspense", "unexplained"})

# What meets the cash books, and as what: the account's head; the line; whether it is income.
LINES: Mapping[str, tuple[str, Kind]] = {
    "advance": ("transfer_income", "income"),
    "awaited": ("transfer_income", "income"),
    "write-off": ("transfer_income", "income"),
    "waived": ("transfer_income", "income"),
    "payable": ("transfer_expenditure", "expenditure"),
    "remitting": ("transfer_expenditure", "expenditure"),
    "overpaid": ("transfer_expenditure", "expenditure"),
    "clearing": ("netting", "income"),
    "recoverable": ("recovered", "income"),
    "interest": ("interest", "income"),
    "contributions": ("contributions", "income"),
    "payout": ("paid_out", "expenditure"),
    "personal": ("paid_out", "expenditure"),
    "charges": ("bank_charges", "expenditure"),
    "opening": ("opening", "income"),
}
NAMES: Mapping[str, tuple[str, str]] = {
    "transfer_income": ("转移收入", "transfer income"),
    "transfer_expenditure": ("转移支出", "transfer expenditure"),
    "netting": ("轧差清算", "net settlement"),
    "recovered": ("追回款", "recovered from persons"),
    "interest": ("利息收入", "interest"),
    "contributions": ("保险费收入", "contributions"),
    "paid_out": ("个人账户一次性支付", "paid to persons"),
    "bank_charges": ("手续费支出", "bank charges"),
    "opening": ("期初建账", "opening of bank accounts"),
}


def head(account: str) -> str:
    """`advance` of `advance:410100`."""
    return account.partition(":")[0]


@dataclass
class View:
    """A month of one region's fund on the cash basis; amounts are fen, and may be below zero."""

    income: dict[str, int] = field(default_factory=dict)
    expenditure: dict[str, int] = field(default_factory=dict)
    suspense_fen: int = 0
    unexplained_fen: int = 0
    received_fen: int = 0
    sweeps: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def change_fen(self) -> int:
        """What the lines say the bank accounts have changed by."""
        lines_fen = sum(self.income.values()) - sum(self.expenditure.values())
        return lines_fen + self.suspense_fen - self.unexplained_fen


def view(turnovers: Iterable[Turnover]) -> View:
    """The lines of the month, from what was posted between each two accounts."""
    found = View()
    for debit, credit, amount_fen in turnovers:
        _add(found, debit, credit, amount_fen)
    return found


def _add(found: View, debit: str, credit: str, amount_fen: int) -> None:
    kinds = head(debit), head(credit)
    if kinds == ("bank", "bank"):
        between = credit, debit
        found.sweeps[between] = found.sweeps.get(between, 0) + amount_fen
        return
    into, out_of = kinds
    found.suspense_fen += amount_fen * ((out_of == "suspense") - (into == "suspense"))
    found.unexplained_fen += amount_fen * ((into == "unexplained") - (out_of == "unexplained"))
    if kinds == ("bank", "suspense"):
        found.received_fen += amount_fen
    inside = kinds[0] in _CASH, kinds[1] in _CASH
    if inside == (True, False):
        _line(found, kinds[1], amount_fen)
    elif inside == (False, True):
        _line(found, kinds[0], -amount_fen)


def _line(found: View, other: str, in_fen: int) -> None:
    """Money that came in for an account outside the cash books, or went out where below zero."""
    name, kind = LINES.get(other, (f"other:{other}", "income"))
    lines = found.income if kind == "income" else found.expenditure
    lines[name] = lines.get(name, 0) + (in_fen if kind == "income" else -in_fen)


@dataclass(frozen=True)
class Balance:
    """What stood on an account on the eve of the month and at its end, debits less credits."""

    account: str
    opening_fen: int
    closing_fen: int
    debit_fen: int
    credit_fen: int


def bank_change_fen(balances: Sequence[Balance]) -> int:
    """By how much the bank accounts have changed, as balances are kept."""
    banks = (one for one in balances if head(one.account) == "bank")
    return sum(one.closing_fen - one.opening_fen for one in banks)


def balanced(found: View, balances: Sequence[Balance]) -> bool:
    """Whether the lines explain the bank accounts, and 暂收款 is what its account says."""
    suspense = [one for one in balances if one.account == "suspense"]
    suspense_fen = sum(one.opening_fen - one.closing_fen for one in suspense)
    return found.change_fen == bank_change_fen(balances) and found.suspense_fen == suspense_fen
