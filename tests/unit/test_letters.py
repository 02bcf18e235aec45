"""Which letters people get, what they say, and that each exists once."""

import string
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.notification.letters import HANDLED, Letter, letter, render
from services.notification.reasons import REASONS, reason
from services.notification.templates import TEMPLATES
from shared.messages import Message, PersonEvent
from shared.messages import enrollment as e
from shared.messages import settlement as s
from shared.messages import transfer as t
from shared.messages.catalogue import CATALOGUE

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
]


@pytest.mark.parametrize(("message", "kind", "chinese", "english"), STORY)
def test_each_thing_that_matters_is_told_in_both_languages(
    message: Message, kind: str, chinese: str, english: str
) -> None:
    written = told(message)

    zh, en = texts(message)

    assert written.kind == kind
    assert chinese in zh
    assert english in en
    assert "张伟" in zh
    assert not {"{", "}", "None"} & {part for text in (zh, en) for part in (text, *text.split())}


def test_every_letter_has_its_words_and_every_word_a_letter() -> None:
    assert {kind for _, kind, _, _ in STORY} == set(TEMPLATES)
    assert {type(message).type for message, *_ in STORY} == HANDLED


def test_both_languages_of_a_letter_say_the_same_facts() -> None:
    for kind, (chinese, english) in TEMPLATES.items():
        fields = [
            {f for _, f, _, _ in string.Formatter().parse(x) if f} for x in (chinese, english)
        ]

        # Chinese has no need to name a place twice.
        assert fields[0] ^ fields[1] <= {"place", "origin"}, kind


def test_the_words_of_an_advance_say_that_it_is_funded_later_and_needs_no_action() -> None:
    zh, en = texts(advance())

    assert "稍后到账" in zh
    assert "无需再做任何事" in zh
    assert "funded later" in en
    assert "need not do anything" in en


def test_a_letter_names_regions_and_never_their_codes() -> None:
    for message, *_ in STORY:
        for text in texts(message):
            assert "410100" not in text
            assert "450100" not in text


def test_the_same_message_is_the_same_letter_whenever_it_comes() -> None:
    later = AT.replace(year=2027)

    for message, *_ in STORY:
        again = letter(message, later)
        assert again is not None
        assert again.id == told(message).id


def test_no_two_letters_of_a_transfer_share_an_id() -> None:
    ids = [told(message).id for message, *_ in STORY]

    assert len(set(ids)) == len(ids)


def test_another_person_version_or_record_is_another_letter() -> None:
    other = advance().model_copy(update={"person": "cd" * 16})

    assert told(other).id != told(advance()).id
    assert told(advance(2)).id != told(advance()).id
    assert told(refused(UUID(int=10))).id != told(refused()).id
    assert told(overdue("transfer-in")).id != told(overdue()).id
    assert told(paid_out(fen=5)).id != told(paid_out()).id


def test_a_corrected_record_is_told_again_only_where_it_differs_for_the_person() -> None:
    assert told(joined(months=((24229, 24313),))).id == told(joined()).id
    assert told(joined(months_total=84)).id != told(joined()).id


def test_a_waiting_period_and_cover_that_reaches_back_are_told() -> None:
    zh, en = texts(joined(waiting_months=3, retroactive_from=2026 * 12))

    assert "等待期3个月" in zh
    assert "追溯至2026-01" in zh
    assert "3 months" in en
    assert "back to 2026-01" in en


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("corridor_suspended", "预划已暂停。", "advances are suspended"),
        ("age_limit", "超过最长期限未到账。", "unpaid for longer than may be"),
        ("limit_reached", "额度已用完。", "is used up"),
    ],
)
def test_who_waits_for_the_money_is_told_why(code: str, chinese: str, english: str) -> None:
    zh, en = texts(declined(code))

    assert chinese in zh
    assert english in en


@pytest.mark.parametrize(
    "message",
    [
        applied(s.ShortfallFound),
        applied(s.ExcessFound),
        refused().model_copy(update={"action": "spend"}),
        refused().model_copy(update={"action": "decease"}),
        closed("joined"),
        closed("restored"),
        declined("deceased"),
        declined(awaiting_fen=0),
        paid_out(fen=0),
        applied(s.FundsCredited, applied_fen=0),
        t.Withdrawn.model_validate(WHO | {"code": "withdrawn"}),
    ],
)
def test_what_is_between_the_regions_or_told_otherwise_is_not_told(message: Message) -> None:
    assert letter(message, AT) is None


def test_params_hold_no_personal_data() -> None:
    for message, *_ in STORY:
        written = told(message)
        assert PERSON not in str(written.params)
        assert set(written.params) <= {
            "origin", "owing", "paying", "amount_fen", "code", "action", "at", "step", "due",
            "months_total", "waiting_months", "entitled_from", "retroactive_from",
        }  # fmt: skip


def test_a_payout_without_a_transfer_is_told_once() -> None:
    alone = paid_out("deceased").model_copy(update={"transfer": None})

    assert told(alone).transfer is None
    assert told(alone).id == told(alone).id != told(paid_out("deceased")).id


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_reason_has_a_cause_and_advice_in_both_languages(code: str) -> None:
    assert all(reason(code))
    assert reason(code.replace("_", "-")) == reason(code)


def test_an_unknown_code_is_named_so_that_the_agency_can_explain_it() -> None:
    found = reason("odd{name}_code")

    assert "odd{name}_code" in found.why_zh
    assert "odd{name}_code" in found.why_en


def test_only_events_about_persons_lead_to_letters() -> None:
    assert all(issubclass(CATALOGUE[kind], PersonEvent) for kind in HANDLED)


def test_money_that_moved_on_at_once_is_told_by_the_region_that_has_it() -> None:
    moved = advance().model_copy(update={"moved_on": True})

    assert letter(moved, datetime(2026, 3, 2, tzinfo=UTC)) is None
