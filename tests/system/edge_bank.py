"""Hefei's side of edge case 10: whom it pays, what its bank says, and an account that changes."""

from datetime import date

from deploy.sandbox import camt
from shared.money import parse_yuan
from tests.system.edge_people import NANNING, PEOPLE
from tests.system.stack import Stack, two_agree

NANNING_INCOME, NEW_INCOME = "4501010104000045101", "4501010104000045777"
HEFEI_EXPENSE = "3401010104000034102"


def run_of_hefei(stack: Stack, day: date) -> tuple[str, str]:
    """A payment file of Hefei, where one person alone is paid for: its name, and whom it pays."""
    made = stack.ask("export", "remittances", "--region", "340100", "--date", day.isoformat())
    assert PEOPLE["e10"].reference in made["xml"]
    stack.settle()
    return str(made["runs"][-1]), made["xml"].partition("<CdtrAcct>")[2].partition("</Id>")[0]


def another_account(stack: Stack, since: date) -> None:
    """The bank says that Nanning's income account is another: one asks, another approves."""
    day = ("--since", since.isoformat())
    two_agree(stack, "change-account", NANNING[1], "income", NEW_INCOME, *day)


def at_hefei(number: int, opening: str, today: date, *returned: str) -> bytes:
    """A day of Hefei's expense account: it pays, and it may come back with a code."""
    one = PEOPLE["e10"]
    fen = parse_yuan(one.balance)
    out = camt.Entry(f"H{number}", credit=False, details=(camt.Detail(fen, one.reference),))
    back = [
        camt.Entry(f"H{number}-back", True, (camt.Detail(fen, one.reference, return_code=code),))
        for code in returned
    ]
    opened = parse_yuan(opening)
    day = camt.Statement(f"H{number}", number, HEFEI_EXPENSE, today, opened, [out, *back])
    return camt.statement(day)
