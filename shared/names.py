"""Names compared without names: the forms a name can take in a bank line, and blind keys.

An expected receipt keeps the HMACs of `forms` of its person's name, a receipt those of
`candidates` of its text; what has one in common is unsealed and compared by `same_person`.
A form is `n:` a name, `p:` its pinyin, `s:` its characters sorted, `d:` with one unreadable.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

# 47,000 phrases have 1,249 readings of a character, and the library a list for each place where one
# stands: shared, they leave 10 MB to a process. It copies a phrase before it changes it.
_READINGS: dict[tuple[str, ...], list[str]] = {}
for _phrase, _found in PHRASES_DICT.items():
    PHRASES_DICT[_phrase] = [_READINGS.setdefault(tuple(one), one) for one in _found]

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_DOTS = "·•‧∙⋅・."
# What banks' systems print for a character they lack, or to hide one. NFKC has come before.
_LOST = "?*□■\ufffd"
# One lost character may leave as many of these as it had bytes.
_LOST_BYTES = "?\ufffd"
_GAP = "_"

_SHORTEST, _LONGEST = 2, 6
# Names of minorities, written with dots between their parts.
_LONGEST_DOTTED = 20
# A longer run is no name alone, but may hold one among words that we don't know.
_LONGEST_PLAIN = 4
_LONGEST_RUN = 20
_MOST_WORDS = 4

# Written in one way only.
_COMMON = re.compile("[\u4e00-\u9fff]*")
_ALL_HAN = re.compile(f"[{_HAN}]*")
_RUN = re.compile(f"[{_HAN}{re.escape(_DOTS + _LOST)}]+")
_WORD = re.compile("[A-Z\u00dc'-]+")
_DATE = re.compile("[0-9]+年(?:[0-9]+月(?:[0-9]+日)?)?|[0-9]+月(?:[0-9]+日)?|[0-9]+")
# A dot parts a name where it has two characters or more on both sides; else one is lost there.
_DOT_IN_NAME = re.compile(f"(?<=[{_HAN}]{{2}})[{re.escape(_DOTS)}](?=[{_HAN}]{{2}})")

# Where a remark is cut: first at words that no name holds, then at those some names do: 李桂林.
_WORDS = """
城镇职工基本医疗保险 城乡居民基本医疗保险 职工基本医疗保险 居民基本医疗保险 基本医疗保险 基本医保
医疗保险 医疗保障 职工医保 居民医保 个人账户 个人帐户 社会保险 事业管理中心 服务中心 管理中心
转移接续 关系转移 跨省转移 转移支出 转移收入 预划转 参保人员 参保人 参保 收款人 姓名 户名 人员 个账
医保 医疗 保险 保障 社保 基金 资金 余额 转移 划转 接续 关系 转入 转出 转账 转款 汇款 汇入 汇出 拨付
支付 退款 退回 退汇 补划 重汇 个人 账户 帐户 职工 居民 统筹 地区 中心 事业 案号 编号 备注 附言 用途
跨省 省内 自治区 代发 补缴 缴费 身份证 银行 公司 本人 先生 女士 款 市 省 局
"""
_DOUBTFUL_WORDS = """
石家庄 保定 合肥 郑州 南宁 桂林 河北 安徽 河南 广西 转 划 汇 退 给 的 等
"""
_LATIN_WORDS = """
TRANSFER MEDICAL INSURANCE FUND FUNDS PAYMENT NAME PAYEE CASE REF BALANCE ACCOUNT PERSONAL FOR OF
TO FROM THE YIBAO YILIAO BAOXIAN ZHUANYI ZHUANRU ZHUANCHU GEREN ZHANGHU ZIJIN YUE JIJIN XINGMING
CANBAOREN KUAN MR MS MRS
"""
_STOP = re.compile("|".join(sorted(_WORDS.split(), key=len, reverse=True)))
_DOUBTFUL_STOP = re.compile("|".join(_DOUBTFUL_WORDS.split()))
_LATIN_STOP = frozenset(_LATIN_WORDS.split())

# Characters that read otherwise as a surname.
_SURNAME_READINGS = """
曾:zeng 单:shan 解:xie 仇:qiu 查:zha 翟:zhai 任:ren 区:ou 朴:piao 盖:ge 缪:miao 覃:qin 乐:yue
种:chong 员:yun 冼:xian 召:shao 祭:zhai 折:she 秘:bi 繁:po 宓:mi 尉迟:yuchi 万俟:moqi
长孙:zhangsun 澹台:tantai 單:shan 區:ou 樂:yue
"""
_SURNAMES = dict(pair.split(":") for pair in _SURNAME_READINGS.split())

# How a text and a name agree, the strongest first. A form `inside` a run too long to be a name
# agrees when nothing stronger does; `part` of what may be another name is no agreement.
_AGREEMENTS = {
    "exact": "exact",
    "pinyin": "pinyin",
    "damaged": "damaged",
    "order": "order",
    "typo": "typo",
    "inside": "exact",
}
_RANK = {kind: rank for rank, kind in enumerate((*_AGREEMENTS, "part"))}


def normalise(name: str) -> str:
    """One way of writing: NFKC, without spaces and dots, Latin letters in capitals."""
    if _COMMON.fullmatch(name):
        return name
    kept = unicodedata.normalize("NFKC", name)
    return "".join(c for c in kept if not c.isspace() and c not in _DOTS).upper()


def is_damaged(name: str) -> bool:
    """Whether a character of the name is unreadable."""
    text = unicodedata.normalize("NFKC", name).replace(" ", "")
    return any(c in _LOST or c in _DOTS for c in _DOT_IN_NAME.sub("", text) if c != ".")


@lru_cache(maxsize=8192)
def pinyin(name: str) -> str:
    """The reading without tones, `zhangwei`, a surname read as a surname, `ü` as `v`."""
    text = normalise(name)
    surname = _surname(text)
    return _letters(_SURNAMES.get(surname, "")) + _spoken(text[len(surname) :])


def _spoken(text: str) -> str:
    """The library's reading, which is that of each character unless a phrase reads otherwise."""
    starts = range(len(text) - 1)
    phrases = (text[i:j] for i in starts for j in range(i + 2, len(text) + 1))
    if _ALL_HAN.fullmatch(text) is None or any(phrase in PHRASES_DICT for phrase in phrases):
        return _letters("".join(lazy_pinyin(text)))
    return "".join(map(_alone, text))


@lru_cache(maxsize=16_384)
def _alone(character: str) -> str:
    return _letters("".join(lazy_pinyin(character)))


def _letters(text: str) -> str:
    return "".join(c for c in text.lower().replace("ü", "v") if c.isalpha())


def _readings_of(name: str) -> tuple[str, ...]:
    # Passports write Ü as YU, bank keyboards as V or U; a clerk may not know the surname, and
    # a machine reads each character alone: 重庆 is zhongqing to it.
    reading, surname = pinyin(name), _surname(name)
    common = _spoken(name) if surname else reading
    alone = "".join(map(_alone, name))
    each = _letters(_SURNAMES.get(surname, "")) + "".join(map(_alone, name[len(surname) :]))
    spelt = (one.replace("v", u) for one in (reading, each) for u in ("yu", "u"))
    return tuple(dict.fromkeys((reading, common, alone, each, *spelt)))


def _surname(name: str) -> str:
    return next((name[:n] for n in (2, 1) if name[:n] in _SURNAMES), "")


def _with_gaps(name: str) -> list[str]:
    if not _SHORTEST <= len(name) <= _LONGEST:
        return []
    return [f"d:{name[:i]}{_GAP}{name[i + 1 :]}" for i in range(len(name))]


def _sorted(name: str) -> str:
    return "s:" + "".join(sorted(name))


def forms(name: str) -> tuple[str, ...]:
    """What a receipt for the person may show; a receipt's candidates meet one of them."""
    plain = normalise(name)
    if not plain:
        return ()
    readings = [f"p:{reading}" for reading in _readings_of(plain) if reading]
    return tuple(dict.fromkeys([f"n:{plain}", *readings, _sorted(plain), *_with_gaps(plain)]))


def candidates(text: str, limit: int = 64) -> tuple[str, ...]:
    """Forms of all that may be a name in a remark or payee field, the most telling first."""
    found = sorted(_findings(text), key=lambda finding: _RANK[finding[0]])
    return tuple(dict.fromkeys(form for _, form in found))[:limit]


def same_person(written: str, name: str) -> str | None:
    """How what is written agrees with a name: `exact`, `pinyin`, `order`, `damaged`, `typo`.

    `typo` is one wrong character of three or more. None also where the name is only a part of
    what may be a longer name: 李明 is not 李明华.
    """
    expected = set(forms(name))
    kinds = {kind for kind, form in _findings(written) if form in expected}
    return next((told for kind, told in _AGREEMENTS.items() if kind in kinds), None)


def _findings(text: str) -> Iterator[tuple[str, str]]:
    plain = _DATE.sub(" | ", unicodedata.normalize("NFKC", text).upper())
    without_words = _STOP.sub("|", plain)
    for run in _RUN.findall(without_words):
        if len(run) <= _LONGEST_PLAIN and _DOUBTFUL_STOP.search(run):
            yield from _run_findings(run) if _lost(run) else _name_findings(run)
    yield from _han_findings(_DOUBTFUL_STOP.sub("|", without_words))
    yield from _latin_findings(plain)


def _han_findings(text: str) -> Iterator[tuple[str, str]]:
    matches = list(_RUN.finditer(text))
    for run in (match.group() for match in matches):
        yield from _run_findings(run)
    for one, other in pairwise(matches):
        # 张 伟: banks pad short names, and part the names of minorities, with spaces.
        joined = one.group() + other.group()
        if text[one.end() : other.start()].isspace() and not _lost(joined):
            yield from _name_findings(joined)


def _lost(run: str) -> bool:
    return any(c in _LOST + _DOTS for c in run)


def _run_findings(run: str) -> Iterator[tuple[str, str]]:
    if not is_damaged(run):
        yield from _name_findings(normalise(run))
    if not _lost(run):
        yield from _part_findings(run)
        return
    marks = re.escape(_LOST + _DOTS)
    each = re.sub(f"[{marks}]", _GAP, run)
    once = re.sub(f"[{re.escape(_LOST_BYTES)}]+", _GAP, run)
    for pattern in dict.fromkeys((each, re.sub(f"[{marks}]", _GAP, once))):
        yield from _damaged_findings(pattern)


def _damaged_findings(pattern: str) -> Iterator[tuple[str, str]]:
    if len(pattern) <= _LONGEST_PLAIN:
        windows = {pattern}
    else:
        sizes = range(_SHORTEST, _LONGEST_PLAIN + 1)
        run = pattern[:_LONGEST_RUN]
        windows = {run[i : i + n] for n in sizes for i in range(len(run) - n + 1)} | {pattern}
    for window in sorted(windows, key=lambda found: (-len(found), found)):
        if _SHORTEST <= len(window) <= _LONGEST and window.count(_GAP) == 1:
            yield "damaged", f"d:{window}"


def _name_findings(run: str) -> Iterator[tuple[str, str]]:
    if _SHORTEST <= len(run) <= _LONGEST_DOTTED:
        yield "exact", f"n:{run}"
    if not _SHORTEST <= len(run) <= _LONGEST:
        return
    yield "pinyin", f"p:{pinyin(run)}"
    yield "order", _sorted(run)
    if len(run) > _SHORTEST:  # one wrong character of two leaves too little to go by
        yield from (("typo", form) for form in _with_gaps(run))


def _part_findings(run: str) -> Iterator[tuple[str, str]]:
    kind = "inside" if len(run) > _LONGEST_PLAIN else "part"
    half = _LONGEST_RUN // 2
    ends = run if len(run) <= _LONGEST_RUN else f"{run[:half]}|{run[-half:]}"
    for size in (3, 2, 4):
        for start in range(len(ends) - size, -1, -1):
            part = ends[start : start + size]
            if size < len(run) and "|" not in part:
                yield kind, f"n:{part}"


def _latin_findings(text: str) -> Iterator[tuple[str, str]]:
    for group in re.split(r"[^A-Z\u00dc' ,-]+", text):
        words: list[str] = []
        for word in [*_WORD.findall(group), ""]:
            if word and word not in _LATIN_STOP:
                words.append(_letters(word))
                continue
            yield from _word_findings([letters for letters in words if letters])
            words = []


def _word_findings(words: list[str]) -> Iterator[tuple[str, str]]:
    sizes = range(min(_MOST_WORDS, len(words)), 0, -1)
    for size in sizes:
        for start in range(len(words) - size + 1):
            some = words[start : start + size]
            whole = size == len(words) or len(words) >= _MOST_WORDS
            # ZHANG WEI and WEI ZHANG: abroad the surname stands last.
            for joined in dict.fromkeys(("".join(some), "".join((some[-1], *some[:-1])))):
                if len(joined) > _SHORTEST:
                    yield ("pinyin" if whole else "part"), f"p:{joined}"
