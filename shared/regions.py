"""All regions of deploy/regions/*.toml, indexed: policies, corridors, calendars, bank accounts."""

import tomllib
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from pydantic import ValidationError

from shared.calendar import WorkingCalendar, shanghai_day
from shared.months import month_of
from shared.policy import Corridor, Policy, corridor_between, in_force, scheme_pair
from shared.provinces import Province
from shared.region_file import ACCOUNT_KINDS, AccountKind, Bank, Entity, NewAccount, Region
from shared.rules import Fact

__all__ = [
    "AccountKind",
    "Bank",
    "Corridor",
    "Entity",
    "Fact",
    "NewAccount",
    "Policy",
    "Province",
    "Region",
    "RegionError",
    "Regions",
    "load",
    "parse",
    "scheme_pair",
]

DEFAULT_CELL = "cn"


class RegionError(ValueError):
    """The region files cannot be used; the text names the file, the field and what is wrong."""


class Regions:
    """All regions; what is asked again is answered from memory."""

    def __init__(
        self,
        regions: Iterable[Region],
        cells: Mapping[str, str] | None = None,
        own: str = DEFAULT_CELL,
        provinces: Iterable[Province] = (),
    ) -> None:
        """Index the regions; `cells` says which provinces other cells serve, `own` who we are.

        Nobody is insured with a province: it is in `provinces`, not in `all`.
        """
        self._own = own
        self.all = tuple(sorted(regions, key=lambda region: region.code))
        self.provinces = tuple(sorted(provinces, key=lambda province: province.code))
        self._by_code = {region.code: region for region in self.all}
        self.entities: dict[str, Entity] = {e.code: e for e in (*self.all, *self.provinces)}
        self._cells = dict(cells or {})
        self._accounts: dict[str, tuple[Entity, AccountKind]] = {}
        self._numbers: dict[str, int] = {}
        for region in self.entities.values():
            for kind in ACCOUNT_KINDS:
                for number, account in enumerate(region.bank.accounts(kind)):
                    self._accounts[account] = (region, kind)
                    self._numbers[account] = number
        entities = self.entities.values()
        self._payers = {_plain(n): r for r in entities for n in r.bank.payer_names}
        starts = Counter(r.name.removesuffix("市") for r in self.all)
        # What two begin with tells nobody.
        self._begins = {s: r for r in self.all if starts[s := r.name.removesuffix("市")] == 1}
        self._calendars = {r.code: WorkingCalendar(r.working_days) for r in entities}
        self._changes = {r.code: sorted({rule.since for rule in r.rules}) for r in self.all}
        self._policies: dict[tuple[str, date], Policy] = {}
        self._corridors: dict[tuple[str, date, str, date], Corridor] = {}

    def get(self, code: str) -> Region | None:
        """The region of a code, None if it has not joined."""
        return self._by_code.get(code)

    def province(self, code: str) -> Province | None:
        """The province of that code, None if it clears for nobody."""
        return next((province for province in self.provinces if province.code == code), None)

    def clearing(self, origin: str, destination: str, day: date) -> Province | None:
        """The province that nets what is released on a day; None where it is remitted.

        KeyError if a region has not joined.
        """
        if self.corridor(origin, destination, day).settlement_mode == "remittance":
            return None
        return self.province(self._by_code[origin].province)

    def netted_by(self, province: str, released_on: date) -> datetime:
        """Until when a province has netted, and been paid, what was released on a day."""
        found = self.province(province)
        assert found is not None, province
        out = found.publish_at(month_of(released_on))
        rule = found.netting_on(shanghai_day(out))
        days = rule.answer_working_days + rule.payment_working_days
        return self.calendar(province).deadline(out, days)

    def calendar(self, code: str) -> WorkingCalendar:
        """The working days of a region; KeyError if it has not joined."""
        return self._calendars[code]

    def cell(self, province: str) -> str:
        """The deployment that serves a province."""
        return self._cells.get(province, DEFAULT_CELL)

    def here(self, code: str) -> bool:
        """Whether this cell serves the region of a code."""
        return self.cell(code[:2] + "0000") == self._own

    def _change(self, code: str, day: date) -> date:
        # The day of the last change is what policies are kept under: a few per region, whatever
        # the number of days asked for.
        changes = self._changes[code]
        return changes[max(0, bisect_right(changes, day) - 1)]

    def at(self, code: str, day: date) -> Policy:
        """A region's rules in force on a day; KeyError if it has not joined."""
        change = self._change(code, day)
        policy = self._policies.get((code, change))
        if policy is None:
            rules = in_force(self._by_code[code].rules, change)
            policy = Policy(code, f"{code}@{change.isoformat()}", rules)
            self._policies[code, change] = policy
        return policy

    def by_version(self, version: str) -> Policy:
        """The policy a version names; KeyError or ValueError if there is none."""
        code, _, change = version.partition("@")
        return self.at(code, date.fromisoformat(change))

    def corridor(self, origin: str, destination: str, day: date) -> Corridor:
        """The corridor between two regions on a day; KeyError if one has not joined."""
        key = (origin, self._change(origin, day), destination, self._change(destination, day))
        corridor = self._corridors.get(key)
        if corridor is None:
            theirs, ours = self.at(origin, day), self.at(destination, day)
            same = self._by_code[origin].province == self._by_code[destination].province
            corridor = corridor_between(theirs, ours, in_province=same)
            self._corridors[key] = corridor
        return corridor

    def elsewhere(self) -> list[str]:
        """One region of each other cell, by which that cell is told something."""
        cells = {self.cell(region.province): region.code for region in reversed(self.all)}
        return sorted(code for cell, code in cells.items() if cell != self._own)

    def with_accounts(self, changes: Sequence[NewAccount]) -> "Regions":
        """With the accounts that people have changed, in their order."""
        banks = {code: entity.bank for code, entity in self.entities.items()}
        for new in changes:
            if new.region in banks:
                banks[new.region] = banks[new.region].changed(new)
        regions = [r.model_copy(update={"bank": banks[r.code]}) for r in self.all]
        provinces = [p.model_copy(update={"bank": banks[p.code]}) for p in self.provinces]
        return Regions(regions, self._cells, self._own, provinces)

    def by_account(self, account: str) -> tuple[Entity, AccountKind] | None:
        """Whose bank account it is, and which of the three."""
        return self._accounts.get(_plain(account))

    def account_number(self, account: str) -> int:
        """Which of the accounts of its kind that its region ever had it is, from 0."""
        return self._numbers[_plain(account)]

    def payer(self, name: str, account: str | None = None) -> Entity | None:
        """The region that paid: by its account, its payer names, else the start of the name."""
        found = self.by_account(account) if account else None
        if found is not None:
            return found[0]
        plain = _plain(name)
        if plain in self._payers:
            return self._payers[plain]
        begun = [region for start, region in self._begins.items() if plain.startswith(start)]
        return begun[0] if len(begun) == 1 else None


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def load(folder: Path, cells: Mapping[str, str] | None = None, own: str = DEFAULT_CELL) -> Regions:
    """Read every region file of a folder; raises RegionError with all that is wrong in one."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        message = f"{folder}: no region file (*.toml) here"
        raise RegionError(message)
    regions: list[Region] = []
    provinces: list[Province] = []
    taken: dict[str, str] = {}
    for path in paths:
        region = _parsed(path.read_bytes(), path.name)
        for what in _unique(region):
            if what in taken:
                message = f"{path.name}: {what} is already in {taken[what]}"
                raise RegionError(message)
            taken[what] = path.name
        if isinstance(region, Province):
            provinces.append(region)
        else:
            regions.append(region)
    return Regions(regions, cells, own, provinces)


def _unique(region: Entity) -> tuple[str, ...]:
    bank = region.bank
    accounts = [account for kind in ACCOUNT_KINDS for account in bank.accounts(kind)]
    return (
        f"code {region.code}",
        *(f"name {name}" for name in (region.name, region.name_en)),
        *(f"bank account {account}" for account in accounts),
        *(f"bank.payer_names {_plain(name)}" for name in bank.payer_names),
    )


def parse(content: bytes, file_name: str) -> Region:
    """One region from the content of its file; raises RegionError."""
    region = _parsed(content, file_name)
    if isinstance(region, Province):
        message = f"{file_name}: a province, where a region is wanted"
        raise RegionError(message)
    return region


def _parsed(content: bytes, file_name: str) -> Region | Province:
    """A file is a province's where its code is its own province."""
    try:
        found = tomllib.loads(content.decode("utf-8-sig"))
        own = found.get("code") is not None and found["code"] == found.get("province")
        return Province.model_validate(found) if own else Region.model_validate(found)
    except ValidationError as error:
        raise RegionError("\n".join(_problems(error, file_name))) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file_name}: not a TOML file in UTF-8: {error}"
        raise RegionError(message) from error


def _problems(error: ValidationError, file_name: str) -> Iterator[str]:
    found = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
    for field, message in found:
        # A list with a broken row is reported once more as too short, which helps nobody.
        if not any(other.startswith(f"{field}.") for other, _ in found):
            yield f"{file_name}: {field or 'rules'}: {message}"
