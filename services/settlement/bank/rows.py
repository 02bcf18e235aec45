"""The tables of what a bank's messages lead to."""

from services.settlement.bank.changes import AccountChange
from services.settlement.bank.states import Announcement, Note
from services.settlement.rows import Table

ANNOUNCEMENTS = Table(
    "return_announcements",
    Announcement,
    2,
    "person text, announcement uuid, transfer uuid, amount_fen bigint, counted_fen bigint,"
    " code text",
)
NOTES = Table(
    "bank_notes",
    Note,
    1,
    "note uuid, account text, region text, kind text, code text, amount_fen bigint,"
    " transfers uuid[], run text, reference text, recorded_at timestamptz, state text,"
    " agreed boolean, answered_by text, why text, answered_at timestamptz",
)
CHANGES = Table(
    "account_changes",
    AccountChange,
    3,
    "region text, bank text, cause uuid, since date, account_key text, sealed text,"
    " changed_at timestamptz, proposed_by text, approved_by text, reason text, why text",
)
