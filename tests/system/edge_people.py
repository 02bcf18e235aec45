"""The people of the edge cases, by case: what is odd about each, and what is sent about them."""

from dataclasses import dataclass, field
from datetime import date

from shared.identity import make_id
from shared.messages import transfer_uuid
from tests.system.stack import mover

Row = dict[str, str]
Place = tuple[str, str]
"""The source of a region's records, and the region."""

NANNING, GUILIN = ("gx-hrss", "450100"), ("gx-hrss", "450300")
ZHENGZHOU, HEFEI, BAODING = ("ha-hrss", "410100"), ("ah-hrss", "340100"), ("he-hrss", "130600")


@dataclass(frozen=True)
class Mover:
    """Somebody who leaves `origin` and enrolls in Nanning."""

    case: str
    name: str
    balance: str
    origin: Place = ZHENGZHOU
    enrolled: Row = field(default_factory=dict)
    """What the row that enrolls says besides or instead."""
    stops: bool = True

    @property
    def id_no(self) -> str:
        return make_id("410102", date(1985, 3, 9), 701 + list(PEOPLE).index(self.case))

    @property
    def reference(self) -> str:
        """What a bank line says of the transfer that the enrolling row starts."""
        return transfer_uuid("gx-hrss", f"{self.case}-3").hex

    @property
    def rows(self) -> list[Row]:
        opened, stopped, enrolled = mover(
            self.case, self.id_no, self.name, self.balance, self.origin
        )
        return [opened, *([stopped] if self.stops else []), {**enrolled, **self.enrolled}]

    def row(self, place: Place, record: str, action: str, **fields: str) -> Row:
        """One more row about the person."""
        return {
            "source": place[0],
            "region": place[1],
            "record_id": f"{self.case}-{record}",
            "action": action,
            "occurred_at": "2026-03-02T10:00:00+08:00",
            "id_type": "01",
            "id_no": self.id_no,
            **fields,
        }


NO_ACCOUNT = {"account": "no"}
_MOVERS = (
    Mover("e1", "司徒未停", "310.01", stops=False),
    Mover("e2", "司徒两处", "320.02"),
    Mover("e4", "司徒欠费", "340.04"),
    Mover("e5-feed", "司徒更正", "350.05"),
    Mover("e5-spent", "司徒迟报", "355.05"),
    Mover("e6-short", "司徒不足", "361.06"),
    Mover("e6-parts", "司徒分期", "362.06"),
    Mover("e6-lump-1", "司徒合并", "363.06"),
    Mover("e6-lump-2", "司徒同笔", "364.06"),
    Mover("e7", "司徒先到", "370.07"),
    Mover("e8-homophone", "欧阳鸣", "380.08"),
    Mover("e8-twin-1", "司马云", "388.88"),
    Mover("e8-twin-2", "司马云", "388.88"),
    Mover("e10", "司徒退汇", "410.10", HEFEI),
    Mover("e11-before", "司徒早逝", "411.11", BAODING),
    Mover("e11-after", "司徒后逝", "412.11"),
    Mover("e11-spent", "司徒花过", "413.11"),
    Mover("e12", "司徒再迁", "812.12"),
    Mover("e16", "司徒留存", "416.16", enrolled=NO_ACCOUNT),
    Mover("e17", "司徒无余", "0.00"),
    Mover("e18", "司徒清退", "418.18", HEFEI, NO_ACCOUNT),
    Mover("e25", "司徒冻结", "425.25"),
    Mover("e29-limit", "司徒超额", "60000.29"),
    Mover("e29-down", "司徒停机", "429.29"),
)
PEOPLE = {one.case: one for one in _MOVERS}


def first_rows() -> list[Row]:
    """All of them move, but for whoever moves while the books stand still, or is held."""
    later = ("e25", "e29-down")
    rows = [row for one in PEOPLE.values() if one.case not in later for row in one.rows]
    arrears = PEOPLE["e4"].row(ZHENGZHOU, "due", "contribute", scheme="310", month="2026-03")
    stopped = next(n for n, row in enumerate(rows) if row["record_id"] == "e4-2")
    rows.insert(stopped, arrears | {"occurred_at": "2026-02-26T09:00:00+08:00"})
    elsewhere = {**PEOPLE["e2"].rows[2], "region": GUILIN[1], "record_id": "e2-4"}
    return [*rows, elsewhere]


def later_rows() -> list[Row]:
    """What happens to some of them once they have the money."""
    spender, mover_on = PEOPLE["e11-spent"], PEOPLE["e12"]
    enrolled = {
        **mover_on.rows[2],
        "region": GUILIN[1],
        "record_id": "e12-6",
        "previous_region": NANNING[1],
    }
    early = {"amount": "100.00", "occurred_at": "2026-02-25T09:00:00+08:00"}
    return [
        PEOPLE["e5-feed"].row(ZHENGZHOU, "fix", "correct", refers_to="e5-feed-1", balance="340.05"),
        PEOPLE["e5-spent"].row(ZHENGZHOU, "late", "spend") | early,
        PEOPLE["e11-before"].row(BAODING, "dies", "decease"),
        PEOPLE["e11-after"].row(NANNING, "dies", "decease"),
        spender.row(NANNING, "spends", "spend", amount="113.11"),
        spender.row(NANNING, "dies", "decease"),
        mover_on.row(NANNING, "spends", "spend", amount="12.12"),
        mover_on.row(NANNING, "stops", "suspend", scheme="310", month="2026-03"),
        enrolled,
    ]
