"""Names in bank lines: forms, candidates, agreement."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from shared.names import (
    candidates,
    forms,
    is_damaged,
    normalise,
    pinyin,
    same_person,
)
from shared.sealing import blind

SURNAMES = "张王李赵陈杨黄周吴徐孙马朱胡郭何罗高林覃韦曾单付吕欧"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英华文宇林绿"

people = st.builds(
    lambda surname, given: surname + given,
    st.sampled_from(SURNAMES),
    st.text(alphabet=GIVEN, min_size=1, max_size=2),
)
remarks = st.sampled_from(
    [
        "{}",
        "转移{}",
        "个人账户转移资金 {} 410102",
        "医保关系转移接续{}余额",
        "姓名:{}",
        "参保人{}基本医疗保险资金划转",
        "郑州市医疗保障中心,{},2026年3月",
        "JX-2026-000017/{}/个账",
        "款项：{}（转出）",
    ]
)


def meet(text: str, name: str) -> set[str]:
    """The forms a text and a name have in common."""
    return set(candidates(text)) & set(forms(name))


def test_a_name_is_written_in_one_way() -> None:
    assert normalise(" 张 伟 ") == "张伟"
    assert (
        normalise("阿卜杜拉·买买提")
        == normalise("阿卜杜拉．买买提")
        == normalise("阿卜杜拉 • 买买提")
    )
    assert normalise("ｊｏｈｎ Smith") == "JOHNSMITH"
    assert normalise("張偉") == "張偉"


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("张伟", "zhangwei"),
        ("吕布", "lvbu"),
        ("曾志伟", "zengzhiwei"),
        ("单田芳", "shantianfang"),
        ("尉迟恭", "yuchigong"),
        ("长孙无忌", "zhangsunwuji"),
        ("John Smith", "johnsmith"),
    ],
)
def test_a_reading_has_no_tones_and_reads_surnames_as_surnames(name: str, reading: str) -> None:
    assert pinyin(name) == reading


@pytest.mark.parametrize("text", sorted(PHRASES_DICT)[::997])
def test_a_phrase_is_read_as_one(text: str) -> None:
    assert pinyin(f"王{text}") == "".join(lazy_pinyin(f"王{text}")).replace("ü", "v")


@given(st.text("王重庆长安乐山单于解放军行长", min_size=1, max_size=8))
def test_a_text_is_read_as_the_library_reads_it(text: str) -> None:
    assert pinyin(f"王{text}") == "".join(lazy_pinyin(f"王{text}"))


@pytest.mark.parametrize(
    "name", ["张?", "张？明", "·伟", "张·", "张*", "张□", "张\ufffd", "张·伟", "欧阳·"]
)
def test_a_lost_character_is_seen(name: str) -> None:
    assert is_damaged(name)


@pytest.mark.parametrize(
    "name", ["张伟", "阿卜杜拉·买买提", "买买提•艾力", "JOHN SMITH", "J. SMITH", ""]
)
def test_a_whole_name_is_not_damaged(name: str) -> None:
    assert not is_damaged(name)


def test_the_forms_of_a_name() -> None:
    assert forms("张伟") == ("n:张伟", "p:zhangwei", "s:伟张", "d:_伟", "d:张_")


def test_a_long_name_has_no_damaged_forms() -> None:
    assert not [form for form in forms("阿卜杜拉·买买提") if form.startswith("d:")]


def test_an_empty_name_has_no_forms() -> None:
    assert forms(" ") == ()
    assert candidates("") == ()
    assert same_person("", "张伟") is None


@pytest.mark.parametrize(
    ("written", "name", "agreement"),
    [
        ("张伟", "张伟", "exact"),
        ("张 伟", "张伟", "exact"),
        ("张　伟", "张伟", "exact"),
        ("个人账户转移资金余额张伟", "张伟", "exact"),
        ("转移李桂林", "李桂林", "exact"),
        ("付伟", "付伟", "exact"),
        ("兹有张伟办毕", "张伟", "exact"),
        ("张伟等3人", "张伟", "exact"),
        ("2026年3月张伟", "张伟", "exact"),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提", "exact"),
        ("阿卜杜拉 买买提", "阿卜杜拉·买买提", "exact"),
        ("阿卜杜拉买买提", "阿卜杜拉·买买提", "exact"),
        ("ZHANG WEI", "张伟", "pinyin"),
        ("Zhang, Wei", "张伟", "pinyin"),
        ("zhangwei", "张伟", "pinyin"),
        ("WEI ZHANG", "张伟", "pinyin"),
        ("YIBAO ZHUANYI ZHANG WEI 410102", "张伟", "pinyin"),
        ("Li Wen-Yu", "李文宇", "pinyin"),
        ("WENYU LI", "李文宇", "pinyin"),
        ("LYU BU", "吕布", "pinyin"),
        ("LÜ BU", "吕布", "pinyin"),
        ("LV BU", "吕布", "pinyin"),
        ("LU BU", "吕布", "pinyin"),
        ("CENG ZHIWEI", "曾志伟", "pinyin"),
        ("ZENG ZHIWEI", "曾志伟", "pinyin"),
        ("WANG ZHONGQING", "王重庆", "pinyin"),
        ("WANG CHONGQING", "王重庆", "pinyin"),
        ("张炜", "张伟", "pinyin"),
        ("張偉", "张伟", "pinyin"),
        ("伟张", "张伟", "order"),
        ("华李明", "李明华", "order"),
        ("张·", "张伟", "damaged"),
        ("张?", "张伟", "damaged"),
        ("张??", "张伟", "damaged"),
        ("?伟", "张伟", "damaged"),
        ("转移接续 李?华 款", "李明华", "damaged"),
        ("李*华", "李明华", "damaged"),
        ("李朋华", "李明华", "typo"),
        ("张伟 ZHANG WEI", "张伟", "exact"),
        ("张丽", "张伟", None),
        ("李明华", "李明", None),
        ("王李明", "李明", None),
        ("ZHANG WEI MING", "张伟", None),
        ("张**", "张伟", None),
        ("李**", "李明华", None),
        ("王芳", "张伟", None),
        ("130100410100", "张伟", None),
    ],
)
def test_how_a_text_agrees_with_a_name(written: str, name: str, agreement: str | None) -> None:
    assert same_person(written, name) == agreement


def test_the_most_telling_candidates_come_first() -> None:
    found = candidates("张伟 ZHANG WEI 李?华")

    assert found[0] == "n:张伟"
    assert found.index("p:zhangwei") < found.index("d:李_华") < found.index("s:伟张")


def test_candidates_are_bounded_and_repeat_nothing() -> None:
    text = "".join(chr(0x4E00 + 7 * n) + "," * (n % 4 == 0) for n in range(500)) + "ABC DEF" * 50

    found = candidates(text)

    assert len(found) == 64
    assert len(set(found)) == 64
    assert candidates(text, limit=3) == found[:3]


@given(people, remarks)
def test_a_name_in_a_remark_is_found(name: str, remark: str) -> None:
    assert f"n:{name}" in candidates(remark.format(name))
    assert same_person(remark.format(name), name) == "exact"


@given(people, remarks, st.integers(0, 2), st.sampled_from("·?？*□\ufffd"))
@example("张桂林", "{}", 0, "?")
def test_a_name_with_a_lost_character_is_found(
    name: str, remark: str, position: int, mark: str
) -> None:
    position %= len(name)
    damaged = name[:position] + mark + name[position + 1 :]

    assert is_damaged(damaged)
    assert meet(remark.format(damaged), name)
    assert same_person(damaged, name) == "damaged"


@given(people)
@example("覃绿林")  # a surname, and a word that reads otherwise than its characters
def test_a_name_in_latin_letters_is_found_either_way_round(name: str) -> None:
    surname, given = pinyin(name[0]).upper(), pinyin("一" + name[1:])[2:].upper()
    spaced = " ".join(pinyin("一" + one)[2:].upper() for one in name[1:])

    for text in (
        f"{surname} {given}",
        f"{given} {surname}",
        f"{surname} {spaced}",
        surname + given,
    ):
        assert same_person(text, name) == "pinyin"


@given(people, people)
def test_two_people_agree_exactly_only_when_they_are_called_the_same(one: str, other: str) -> None:
    assert (same_person(one, other) == "exact") == (one == other)


@given(st.text(max_size=200))
def test_any_text_at_all_is_read(text: str) -> None:
    found = candidates(text)

    assert len(found) <= 64
    assert all(form[:2] in {"n:", "p:", "s:", "d:"} for form in found)
    assert same_person(text, "张伟") in {"exact", "pinyin", "order", "damaged", "typo", None}


def test_blind_keys_need_the_secret() -> None:
    one, other = (blind(bytes([n]) * 32, "n:张伟") for n in (1, 2))

    assert one != other
    assert len(one) == 24
    assert one == blind(b"\x01" * 32, "n:张伟")
    assert one != blind(b"\x01" * 32, "n:张炜")


def test_two_lost_characters_leave_too_little_to_go_by() -> None:
    assert candidates("张**") == ()
    assert candidates("张伟**") == ()
    assert candidates("*?") == ()
