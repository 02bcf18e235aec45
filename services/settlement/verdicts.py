"""What a verdict on a receipt means, and what a clerk has to do about it. PURE."""

from services.settlement.books import Books
from services.settlement.states import Claim, Receipt

LETTERS: dict[str, tuple[str, str]] = {
    "exact": (
        "到账与应收一致，已做实，无需办理。",
        "It is what was owed: the advance is funded, and nothing is to be done.",
    ),
    "partial": (
        "到账为应收款的一部分，与此前到账合并计算，差额到齐即做实。",
        "It is a part of what was owed, counted with what came before; the rest is awaited.",
    ),
    "short": (
        "到账少于应收，差额已列入待办：请向转出地催收，或由两人核销、豁免。",
        "Less came than was owed: urge the origin for the rest, or two people write it off or"
        " waive it.",
    ),
    "over": (
        "到账多于应收，多出部分留在暂收款：请由两人退回转出地，或认领至其他转移。",
        "More came than was owed: the excess is in suspense, for two people to return or to match.",
    ),
    "duplicate": (
        "该转移的资金此前已到账，疑为重复：请与转出地核对，由两人退回。",
        "The transfer was funded before: ask the origin whether it paid twice, then two people"
        " return it.",
    ),
    "returned": (
        "本地区付出的款项被退回；找到原付款的已重新列为应付，其余留在暂收款，由两人认领。",
        "A payment of this region came back: it is owed again where it is known which, else it is"
        " in suspense for two people to match.",
    ),
    "unknown": (
        "到账找不到对应的转移，留在暂收款：请核实凭证，由两人认领或退回。",
        "It belongs to no transfer known so far: it is in suspense for two people to match.",
    ),
    "ambiguous": (
        "到账的线索指向不止一处，留在暂收款：请核对候选转移，由两人认领。",
        "The evidence points more than one way: compare the candidates, then two people match it.",
    ),
}
"""What the agency is told of each verdict, in Chinese and English."""

LATE = (
    "该款晚于规定的办结时限到账。",
    "It came later than the working days allowed for the transfer.",
)


def letter(verdict: str, *, late: bool) -> str:
    """What a clerk is told, in both languages."""
    chinese, english = LETTERS.get(verdict, (verdict, verdict))
    if not late:
        return f"{chinese} / {english}"
    return f"{chinese}{LATE[0]} / {english} {LATE[1]}"


def is_late(books: Books, receipt: Receipt | None, claim: Claim) -> bool:
    """Whether a receipt was booked after the working days that the whole of a transfer may take;
    what is netted is paid by its sheet, and has no day of its own.
    """
    if receipt is None or claim.clearing is not None:
        return False
    days = books.policy(claim.region).deadline.whole
    calendar = books.limits(claim.origin, claim.region).calendar
    return receipt.booked_on > calendar.add_working_days(claim.released_on, days)
