"""Regions as they come in a world: their rules by seed, and what only some of them do.

Nothing in the product freezes an account or misprints a record by itself, so regions that do are
played here: their answers are those that the messages allow.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from services.enrollment.app import EnrollmentService
from services.settlement.app import Settlement
from shared import regions
from shared.calendar import SHANGHAI
from shared.decision import Decision, Delivery, States
from shared.messages.enrollment import RecordCorrected, RecordReleased
from shared.messages.settlement import FundsWithheld, ReleaseFunds
from shared.regions import Regions
from shared.sealing import Keyring
from shared.settings import Secrets

FOLDER = Path(__file__).parents[2] / "deploy" / "regions"
NANNING, GUILIN, ZHENGZHOU, HEFEI, SHIJIAZHUANG, BAODING = (
    *("450100", "450300", "410100", "340100", "130100", "130600"),
)
ALL = (NANNING, GUILIN, ZHENGZHOU, HEFEI, SHIJIAZHUANG, BAODING)

# High, so that whole fen come of days; one changes on a day that comes in every world.
RATES = """
[[interest]]
from = 2020-01-01
rate_bp = 300
source = "a world"

[[interest]]
from = 2026-10-01
rate_bp = 150
year_days = 365
source = "a world"

"""
POLICIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "shipped": (),
    "tight limits": (
        *(("50000000.00", "6000.00"), ("50000.00", "4500.00")),
        ("suspend_after = 90", "suspend_after = 12"),
    ),
    "answers by hand": (('answer = "automatic"', 'answer = "manual"'),),
    "pays out": (('payout = "keep"', 'payout = "pay_out"'),),
    "pays interest": (("[[notification]]", RATES + "[[notification]]"),),
}
_ZEROS = "0" * 64
_KEYRING = Keyring(
    Secrets(
        person_key_secret=_ZEROS, blind_key_secret=_ZEROS, content_key=_ZEROS, master_key=_ZEROS
    )
)


@cache
def ruled_by(policy: str) -> Regions:
    """The shipped regions under one of POLICIES."""
    with TemporaryDirectory() as folder:
        for path in FOLDER.glob("*.toml"):
            text = path.read_text("utf-8")
            for old, new in POLICIES[policy]:
                text = text.replace(old, new)
            (Path(folder) / path.name).write_text(text, "utf-8")
        return regions.load(Path(folder))


class Enrollment(EnrollmentService):
    """Enrollment at regions of which some misprint a record: `misprinted` by person, up to which
    version.
    """

    def __init__(self, ruled: Regions, misprinted: Mapping[str, int]) -> None:
        super().__init__(ruled)
        self.misprinted = misprinted

    def decide(self, states: States, delivery: Delivery) -> Decision:
        decision = super().decide(states, delivery)
        wrong_until = self.misprinted.get(delivery.key, 0)
        if not wrong_until:
            return decision
        out = [
            m.model_copy(update={"digest": _ZEROS})
            if isinstance(m, RecordReleased | RecordCorrected) and m.version <= wrong_until
            else m
            for m in decision.out
        ]
        return Decision(decision.changes, out, decision.timers)


class Books(Settlement):
    """The books of regions of which some hold a person's money back, until a day."""

    def __init__(self, ruled: Regions, frozen: Mapping[str, date]) -> None:
        super().__init__(ruled, _KEYRING)
        self.frozen = frozen

    def decide(self, states: States, delivery: Delivery) -> Decision:
        m = delivery.message
        until = self.frozen.get(delivery.key)
        if until is None or not isinstance(m, ReleaseFunds):
            return super().decide(states, delivery)
        known = states.get(("release", m.person, m.transfer))
        if known is not None or delivery.at >= datetime.combine(until, time(), SHANGHAI):
            return super().decide(states, delivery)
        held = FundsWithheld(
            to=m.destination,
            person=m.person,
            transfer=m.transfer,
            origin=m.to,
            code="account_frozen",
            until=until,
        )
        return Decision(out=(held,))
