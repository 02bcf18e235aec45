"""Every letter with the message that leads to it, and words that it says."""

from datetime import UTC, date, datetime
from uuid import UUID

from services.notification.letters import Letter, letter, render
from shared.messages import Message
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import settlement_compensation as k
from shared.messages import settlement_freezing as f
from shared.messages import transfer as t

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
PERSON = "ab" * 16
TRANSFER = UUID(int=7)
RECEIPT = UUID(int=9)
PLACES = {"410100": ("郑州市", "Zhengzhou"), "450100": ("南宁市", "Nanning")}
WHO = {"to": "450100", "person": PERSON, "transfer": TRANSFER}
FROM = {**WHO, "origin": "410100"}
NAME = ("张伟", "张伟")


def place(code: str) -> tuple[str, str]:
    return PLACES.get(code, (code, code))


def told(message: Message) -> Letter:
    written = letter(message, AT)
    assert written is not None
    return written


def texts(message: Message) -> tuple[str, str]:
    written = told(message)
    return render(written.kind, written.region, written.params, NAME, place)


def joined(**changed: object) -> e.RecordJoined:
    fields = {
        "months": ((24230, 24314),),
        "months_total": 85,
        "entitled_from": 2026 * 12 + 2,
        "waiting_months": 0,
        "retroactive_from": None,
    }
    return e.RecordJoined.model_validate(FROM | fields | changed)


def closed(record: str, reason: str | None = None) -> t.Closed:
    return t.Closed.model_validate(FROM | {"record": record, "money": "none", "reason": reason})


def applied(kind: type[s.Applied], **changed: int) -> s.Applied:
    fields = dict.fromkeys(("applied_fen", "matched_fen", "credited_fen"), 408412)
    rest = {"receipt": RECEIPT, "open_fen": 0, "excess_fen": 0}
    return kind.model_validate(FROM | fields | rest | changed)


def advance(version: int = 1) -> s.AdvanceCredited:
    fields = {"version": version, "amount_fen": 408412, "credited_fen": 408412, "open_fen": 408412}
    return s.AdvanceCredited.model_validate(FROM | fields)


def declined(code: str = "limit_reached", awaiting_fen: int = 408412) -> s.AdvanceDeclined:
    fields = {"version": 1, "code": code, "awaiting_fen": awaiting_fen}
    return s.AdvanceDeclined.model_validate(FROM | fields)


def overdue(step: str = "transfer-out") -> t.Overdue:
    fields = {"step": step, "due_at": AT, "region": "410100"}
    return t.Overdue.model_validate(WHO | fields)


def paid_out(reason: str = "no-account-at-destination", fen: int = 408412) -> s.PaidOut:
    fields = {"region": "410100", "amount_fen": fen, "reason": reason}
    return s.PaidOut.model_validate(WHO | fields)


def refused(record: UUID = RECEIPT) -> e.RegistrationRefused:
    fields = {
        "record": record,
        "action": "enroll",
        "occurred_at": AT,
        "code": "residence_permit_needed",
    }
    return e.RegistrationRefused.model_validate(WHO | fields)


def changed(kind: type[k.ClaimChanged], **fields: object) -> k.ClaimChanged:
    names = [name for name in k.ClaimChanged.model_fields if name.endswith("_fen")]
    facts = {**dict.fromkeys(names, 0), "amount_fen": 408412}
    return kind.model_validate(FROM | facts | fields)


def held(kind: type[f.AccountFrozen | f.AccountUnfrozen], **others: object) -> Message:
    fields = {"to": "450100", "person": PERSON, "what": "all", "reason": "court-order"} | {
        "decided": RECEIPT
    }
    return kind.model_validate(fields | others)


STORY: list[tuple[Message, str, str, str]] = [
    (refused(), "registration-refused", "居住证", "residence permit"),
    (e.ReleaseAccepted.model_validate(FROM), "accepted", "郑州市受理", "Zhengzhou has accepted"),
    (
        closed("refused", "origin-not-stopped"),
        "refused",
        "停保后系统会自动",
        "starts again by itself",
    ),
    (closed("not_needed"), "not-needed", "无需办理转移", "needs no transfer"),
    (closed("withdrawn", "withdrawn"), "withdrawn", "已撤回", "has been withdrawn"),
    (closed("withdrawn", "deceased"), "ended-by-death", "家属", "family of"),
    (
        t.WithdrawalRefused.model_validate(WHO | {"code": "already-released"}),
        "withdrawal-refused",
        "已转出您的关系",
        "released your record already",
    ),
    (advance(), "advance-credited", "4084.12元", "credited 4084.12 yuan"),
    (declined(), "awaiting", "到账后即划入", "credited when they arrive"),
    (joined(), "joined", "自2026-03起", "entitled from 2026-03"),
    (joined(entitled_from=None), "joined-unpaid", "缴纳首月", "pay the first contribution"),
    (applied(s.AdvanceFunded), "funded", "已做实", "now funded"),
    (applied(s.FundsCredited), "credited-on-arrival", "已到账", "have arrived"),
    (overdue(), "overdue", "深表歉意", "We apologise"),
    (overdue("funds"), "overdue-funds", "不受影响", "stays yours"),
    (paid_out(), "paid-out", "支付给您本人", "paid the balance of 4084.12 yuan out"),
    (paid_out("deceased"), "paid-out-to-heirs", "继承人", "to the heirs"),
    (changed(k.AdvanceAdjusted, version=2, unspent_fen=408412), "adjusted", "更正", "corrected"),
    (
        changed(k.AdvanceAdjusted, version=2, unspent_fen=0, recoverable_fen=408412),
        "recovery-demanded",
        "须退回南宁市",
        "owed to Nanning",
    ),
    (changed(k.Recovered, recovered_fen=408412), "recovered", "尚欠0.00元", "0.00 yuan remain"),
    (
        changed(k.WrittenOff, what="person", reason="insolvent"),
        *("excused", "无需再退回", "need not pay"),
    ),
    (
        e.RecordRestored.model_validate(FROM | {"region": "410100"}),
        *("reversed", "已撤销", "has been reversed"),
    ),
    (
        k.FundsRestored.model_validate(
            FROM | {"number": 1, "amount_fen": 408412, "total_fen": 408412}
        ),
        "restored",
        "已恢复到您在郑州市",
        "in your account at Zhengzhou again",
    ),
    (
        s.FundsWithheld.model_validate(
            FROM | {"code": "account_frozen", "until": date(2026, 9, 1)}
        ),
        *("withheld", "2026-09-01再行办理", "asked for again on 2026-09-01"),
    ),
    (held(f.AccountFrozen, until=None), "frozen", "不能支付或转出", "is frozen"),
    (held(f.AccountUnfrozen), "unfrozen", "已解除冻结", "is free again"),
]
