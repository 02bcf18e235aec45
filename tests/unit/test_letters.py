"""Which letters people get, what they say, and that each exists once."""

import string
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.notification.letters import HANDLED, letter
from services.notification.reasons import REASONS, reason
from services.notification.templates import LATE, TEMPLATES
from shared.messages import Message, PersonEvent
from shared.messages import settlement as s
from shared.messages import settlement_freezing as f
from shared.messages import transfer as t
from shared.messages.catalogue import CATALOGUE
from tests.unit.letter_stories import (
    AT,
    PERSON,
    STORY,
    WHO,
    advance,
    applied,
    closed,
    declined,
    held,
    joined,
    overdue,
    paid_out,
    refused,
    texts,
    told,
)


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
            "origin", "owing", "paying", "amount_fen", "owed_fen", "code", "action", "at", "step",
            "due", "months_total", "waiting_months", "entitled_from", "retroactive_from",
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


def test_money_that_came_late_is_told_with_an_apology() -> None:
    for kind in (s.AdvanceFunded, s.FundsCredited):
        late = applied(kind).model_copy(update={"late": True})
        assert all(
            more.startswith(text)
            for text, more in zip(texts(applied(kind)), texts(late), strict=True)
        )
        assert all(sentence in text for sentence, text in zip(LATE, texts(late), strict=True))
        assert told(late).id == told(applied(kind)).id


def test_who_gets_a_part_of_what_was_not_advanced_is_told_of_the_rest() -> None:
    part = applied(s.FundsCredited, applied_fen=100, awaiting_fen=250)

    chinese, english = texts(part)

    assert ("1.00元" in chinese, "其余2.50元" in chinese) == (True, True)
    assert "The other 2.50 yuan" in english


@pytest.mark.parametrize("kind", [s.ShortfallFound, s.ExcessFound])
def test_what_is_short_or_over_is_between_the_regions(kind: type[s.Applied]) -> None:
    assert letter(applied(kind), datetime(2026, 3, 2, tzinfo=UTC)) is None


def test_who_may_still_spend_is_not_told_that_the_account_is_kept_where_it_is() -> None:
    for kind in (f.AccountFrozen, f.AccountUnfrozen):
        kept = held(kind, what="leaving", until=None)
        assert letter(kept, datetime(2026, 3, 2, tzinfo=UTC)) is None
