"""A fund's bank account is changed: what two people ask of settlement, and what it announces.

Numbers travel sealed: `sealed` opens with the network's key for accounts of funds, and
`account_key` is the number's blind key, by which it is known again.
"""

from datetime import date

from shared.messages import ByTwo, Command, Event, RegionCode, Text
from shared.messages.settlement import BankKind


class ChangeAccount(ByTwo, Command):
    """Two people say that `to` has another account of a kind from `since` on. What is paid on a day
    goes to the account of that day, and the statements of the former one are read as before.
    """

    bank: BankKind
    since: date
    account_key: Text
    sealed: Text

    @property
    def key(self) -> str:
        return f"{self.to}:{self.bank}"


class NoteAccount(Command):
    """The cell that serves `to` learns of an account that a region of another cell has changed."""

    region: RegionCode
    bank: BankKind
    since: date
    account_key: Text
    sealed: Text
    proposed_by: Text
    approved_by: Text
    reason: Text

    @property
    def key(self) -> str:
        return f"{self.region}:{self.bank}"


class AccountChanged(Event):
    """`to` has another account of a kind from `since` on."""

    bank: BankKind
    since: date
    proposed_by: Text
    approved_by: Text
    reason: Text

    @property
    def key(self) -> str:
        return f"{self.to}:{self.bank}"
