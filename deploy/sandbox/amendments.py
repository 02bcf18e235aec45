"""What an origin finds out later: `amendments.csv`, balances that two people correct on a day."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from shared import messages

_COLUMNS = ("on", "region", "source", "record_id", "balance", "start_source", "start_record_id")


@dataclass(frozen=True, slots=True)
class Amendment:
    """The balance of an opening record was wrong, and has left by a transfer already.

    `start` is the (source, record id) that started the transfer, `record` what is corrected.
    """

    on: date
    region: str
    record: tuple[str, str]
    balance: str
    start: tuple[str, str]

    @property
    def fields(self) -> dict[str, object]:
        """The act that corrects it."""
        transfer: UUID = messages.transfer_uuid(*self.start)
        return {
            "to": self.region,
            "transfer": str(transfer),
            "refers_to": str(messages.record_uuid(*self.record)),
            "balance": self.balance,
        }


def read(path: Path) -> list[Amendment]:
    """The amendments of an `amendments.csv`; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Amendment(
                date.fromisoformat(row["on"]),
                row["region"],
                (row["source"], row["record_id"]),
                row["balance"],
                (row["start_source"], row["start_record_id"]),
            )
            for row in csv.DictReader(file)
        ]


def write(path: Path, amendments: Iterable[Amendment]) -> None:
    """Write an `amendments.csv`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for one in amendments:
            writer.writerow((one.on, one.region, *one.record, one.balance, *one.start))
