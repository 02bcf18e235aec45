"""camt files of every kind and version are read alike; hostile ones cost little and are refused."""

import re
import tracemalloc
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from services.settlement import camt
from services.settlement.bank import xml
from services.settlement.lines import CODES, StatementError
from tests.schemas.published import faults
from tests.unit.test_camt import ONE, detail, entry, statement


@pytest.mark.parametrize("kind", ["052", "053", "054"])
@pytest.mark.parametrize("version", ["02", "04", "06", "08", "10", "14"])
def test_every_version_of_every_kind_is_read_alike(kind: str, version: str) -> None:
    text = as_kind(statement(entry(details=in_version(version))), kind, version)
    assert faults(f"camt.{kind}.001.{version}", text) == []

    (found,) = camt.read(text)

    payment = found.lines[0].payments[0]
    assert (found.kind, found.number, found.account) == (f"camt.{kind}", 7, "4501010104000045101")
    assert (payment.references, payment.payer_name) == ((ONE,), "郑州市医疗保障中心")
    assert payment.payer_account == "4101010104000041102"
    assert payment.remark == "张伟 医保转移"
    assert (found.opening_fen, found.closing_fen) == (
        (0, 408412) if kind == "053" else (None, None)
    )


def in_version(version: str) -> str:
    name = "<Nm>郑州市医疗保障中心</Nm>"
    return detail(
        f"<Refs><EndToEndId>{ONE.hex}</EndToEndId></Refs>"
        + ("" if version == "02" else "<Amt Ccy='CNY'>4084.12</Amt><CdtDbtInd>CRDT</CdtDbtInd>")
        + f"<RltdPties><Dbtr>{name if version < '08' else f'<Pty>{name}</Pty>'}</Dbtr>"
        "<DbtrAcct><Id><Othr><Id>4101010104000041102</Id></Othr></Id></DbtrAcct></RltdPties>"
        "<RmtInf><Ustrd>张伟 医保转移</Ustrd></RmtInf>"
    )


def as_kind(text: str, kind: str, version: str) -> str:
    """The statement as a report or a notice, complete as published."""
    document, body = {
        "052": ("BkToCstmrAcctRpt", "Rpt"),
        "053": ("BkToCstmrStmt", "Stmt"),
        "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }[kind]
    created = "<CreDtTm>2026-03-20T23:59:00+08:00</CreDtTm>"
    text = text.replace("BkToCstmrStmt", document).replace("Stmt>", f"{body}>")
    text = text.replace("<MsgId>M1</MsgId>", f"<MsgId>M1</MsgId>{created}")
    text = text.replace("<Id>S1</Id>", f"<Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb>{created}", 1)
    text = text.replace("camt.053.001.08", f"camt.{kind}.001.{version}")
    code = "<BkTxCd><Prtry><Cd>T</Cd></Prtry></BkTxCd>"
    text = text.replace("</AcctSvcrRef>", f"</AcctSvcrRef>{code}")
    if kind == "054":
        text = re.sub("<Bal>.*</Bal>", "", text)
    return text if version > "06" else text.replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")


def test_within_the_day_only_what_the_statement_can_repeat_is_booked() -> None:
    entries = entry(), entry("1.00", ref=""), entry("2.00", status="<Sts><Cd>PDNG</Cd></Sts>")
    text = as_kind(statement(*entries), "052", "08")

    (found,) = camt.read(text)

    assert [line.amount_fen for line in found.lines] == [408412]
    assert (found.ignored, set(found.codes)) == (2, {"no_reference", "not_booked"})


def test_an_endless_text_is_refused_before_it_is_in_memory() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        yield statement(entry(details="<TxDtls><AddtlTxInf>")).partition("</AddtlTxInf>")[0][:-60]
        yield "<x>"
        while True:
            taken += 1
            yield "9" * 65536

    with pytest.raises(StatementError) as refused:
        camt.read(endless())
    assert refused.value.code in ("too_long", "unreadable")
    assert taken <= xml.MOST_TEXT // 65536 + 2


def test_endless_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camt, "MOST_ENTRIES", 1000)
    one = entry(ref="<AcctSvcrRef>B</AcctSvcrRef>")
    head, _, _ = statement().rpartition("</Stmt>")

    with pytest.raises(StatementError, match="too_many_entries entry 1001"):
        camt.read(chain([head], repeat(one * 100)))


def test_a_big_file_stands_in_memory_as_its_lines_only() -> None:
    remark = "备注" * 100
    one = entry(
        details=detail(f"<RmtInf><Ustrd>{remark}</Ustrd></RmtInf>"), status="<Sts>PDNG</Sts>"
    )
    head, _, tail = statement().rpartition("</Stmt>")
    tracemalloc.start()
    try:
        camt.read(chain([head], (one * 10 for _ in range(120)), [f"</Stmt>{tail}"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 600_000, "the file itself has more than a million"


def test_more_elements_than_memory_is_meant_for_are_refused() -> None:
    many = "<a/>" * xml.MOST_ELEMENTS

    for text, where in (
        (statement(entry(), entry(details=many)), "entry 2"),
        (statement(entry(), many), ""),
    ):
        with pytest.raises(StatementError) as refused:
            camt.read(text)
        assert (refused.value.code, refused.value.where) == ("too_many_elements", where)
    assert "too_many_elements" in CODES


@pytest.mark.parametrize("inside", [True, False])
def test_names_of_elements_and_attributes_are_text_too(*, inside: bool) -> None:
    name = "n" * (xml.MOST_TEXT // 8)
    deep = "".join(f"<{name}>" for _ in range(4)) + "".join(f"</{name}>" for _ in range(4))
    told = "<a>" + "".join(f"<b {name}{n}='1'/>" for n in range(9)) + "</a>"

    for hostile in (deep, told, f"<b c='{'9' * xml.MOST_TEXT}x'/>"):
        with pytest.raises(StatementError) as refused:
            camt.read(statement(entry(details=hostile)) if inside else statement(hostile))
        assert (refused.value.code, refused.value.where) == (
            "too_long",
            "entry 1" if inside else "",
        )


def test_a_long_name_around_many_elements_is_refused_before_it_costs() -> None:
    around = "n" * (xml.LONGEST_PATH + 1)

    with pytest.raises(StatementError) as refused:
        camt.read(statement(entry(details=f"<{around}>{'<b/>' * 9}</{around}>")))

    assert refused.value.code == "too_long"


def test_only_what_an_element_begins_with_is_its_text() -> None:
    odd = detail("<AddtlTxInf>paid<!-- and more --> back<x>not</x> this</AddtlTxInf>")

    (found,) = camt.read(statement(entry(details=odd)))

    assert found.lines[0].payments[0].remark == "paid back"


def test_any_number_of_entries_with_many_elements_each_is_read() -> None:
    half = "<a/>" * (xml.MOST_ELEMENTS // 2)

    (found,) = camt.read(statement(*(entry(details=half) for _ in range(3)), half))

    assert len(found.lines) == 3
