"""How the states of netting are rows. PURE."""

from dataclasses import fields

from services.settlement.netting.states import Answer, Line, Owed, Total, Window
from services.settlement.rows import Table

WINDOWS = Table(
    "netting_windows",
    Window,
    2,
    "province text, month integer, state text, published_on date, answer_by timestamptz,"
    " final_on date, posted bool",
)
TOTALS = Table(
    "netting_totals",
    Total,
    4,
    "province text, month integer, origin text, destination text, state text, lines bigint,"
    " fen bigint",
)
LINES = Table(
    "netting_lines",
    Line,
    3,
    "person text, transfer uuid, version integer, province text, origin text, destination text,"
    " month integer, origin_fen bigint, destination_fen bigint, entered integer,"
    " disputes text[], confirms text[], settled bool",
)
POSITIONS = Table(
    "netting_positions",
    Owed,
    1,
    "reference uuid, province text, month integer, region text, payer text, payee text,"
    " receivable_fen bigint, payable_fen bigint, instructed_fen bigint, debited_fen bigint,"
    " received_fen bigint, runs text[], debits text[]",
)
ANSWER = tuple(field.name for field in fields(Answer))
