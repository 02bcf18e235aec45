"""camt.053 and camt.054: what a bank means is read, what could harm is refused."""

from datetime import date
from uuid import uuid4

import pytest

from services.settlement import camt
from services.settlement.lines import StatementError, check_balances, distinct

ONE, OTHER = uuid4(), uuid4()


LAUGHS = (
    "<!DOCTYPE d [<!ENTITY l0 'ha'>"
    + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    + "]>"
)


def balance(code: str, amount: str, direction: str = "CRDT") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='CNY'>{amount}</Amt>"
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>2026-03-20</Dt></Dt></Bal>"
    )


def detail(inner: str) -> str:
    return f"<TxDtls>{inner}</TxDtls>"


def entry(
    amount: str = "4084.12",
    *,
    direction: str = "CRDT",
    details: str = "",
    ref: str = "<AcctSvcrRef>B1</AcctSvcrRef>",
    more: str = "",
    status: str = "<Sts><Cd>BOOK</Cd></Sts>",
    currency: str = "CNY",
) -> str:
    return (
        f"<Ntry><NtryRef>1</NtryRef><Amt Ccy='{currency}'>{amount}</Amt>"
        f"<CdtDbtInd>{direction}</CdtDbtInd>{status}<BookgDt><Dt>2026-03-20</Dt></BookgDt>"
        f"<ValDt><Dt>2026-03-21</Dt></ValDt>{ref}{more}"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def statement(*entries: str, opening: str = "0.00", closing: str = "4084.12") -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
        "<GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id>"
        "<Acct><Id><Othr><Id>4501010104000045101</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    )


def test_a_statement_is_read_with_its_balances_and_its_entry() -> None:
    text = statement(
        entry(
            details=detail(
                f"<Refs><EndToEndId>{ONE.hex}</EndToEndId></Refs>"
                "<RltdPties><Dbtr><Pty><Nm>郑州市医疗保障中心</Nm></Pty></Dbtr>"
                "<DbtrAcct><Id><Othr><Id>4101010104000041102</Id></Othr></Id></DbtrAcct>"
                "</RltdPties><RmtInf><Ustrd>张伟 医保转移</Ustrd></RmtInf>"
            )
        )
    )

    (found,) = camt.read(text)

    line, payment = found.lines[0], found.lines[0].payments[0]
    assert (found.kind, found.id, found.account) == ("camt.053", "S1", "4501010104000045101")
    assert (found.opening_fen, found.closing_fen) == (0, 408412)
    assert (line.reference, line.credit, line.amount_fen) == ("B1", True, 408412)
    assert (line.booked_on, line.value_on) == (date(2026, 3, 20), date(2026, 3, 21))
    assert payment.references == (ONE,)
    assert payment.payer_name == "郑州市医疗保障中心"
    assert payment.payer_account == "4101010104000041102"
    assert payment.remark == "张伟 医保转移"
    check_balances(found, distinct(found).values())


def test_version_2_keeps_names_and_status_elsewhere() -> None:
    text = statement(
        entry(
            status="<Sts>BOOK</Sts>",
            details=detail("<RltdPties><Dbtr><Nm>郑州</Nm></Dbtr></RltdPties>"),
        )
    ).replace("camt.053.001.08", "camt.053.001.02")

    (found,) = camt.read(text)

    assert found.lines[0].payments[0].payer_name == "郑州"


def test_a_later_minor_version_is_read() -> None:
    (found,) = camt.read(statement(entry()).replace("053.001.08", "053.001.13"))

    assert len(found.lines) == 1


def test_an_entry_of_nothing_moves_nothing() -> None:
    (found,) = camt.read(statement(entry(), entry("0.00")))

    assert (len(found.lines), found.ignored) == (1, 1)


def test_a_notice_has_no_balances() -> None:
    text = (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'>"
        "<BkToCstmrDbtCdtNtfctn><Ntfctn><Id>N1</Id><Acct><Id><IBAN>45 01</IBAN></Id></Acct>"
        f"{entry()}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )

    (found,) = camt.read(text)

    assert (found.kind, found.account, found.opening_fen) == ("camt.054", "4501", None)
    assert found.codes == ()
    check_balances(found, found.lines)


@pytest.mark.parametrize("code", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_ignored_and_said(code: str) -> None:
    pending = entry("1.00", status=f"<Sts><Cd>{code}</Cd></Sts>")

    (found,) = camt.read(statement(entry(), pending))

    assert (len(found.lines), found.ignored, found.codes) == (1, 1, ("not_booked",))


@pytest.mark.parametrize("missing", [("OPBD", "CLBD"), ("OPBD",), ("CLBD",)])
def test_a_statement_without_a_balance_is_taken_and_said(missing: tuple[str, ...]) -> None:
    text = statement(entry())
    for code, amount in (("OPBD", "0.00"), ("CLBD", "4084.12")):
        text = text.replace(balance(code, amount), "") if code in missing else text

    (found,) = camt.read(text)

    assert (len(found.lines), found.codes) == (1, ("balance_missing",))
    check_balances(found, found.lines)


def test_a_balance_that_cannot_be_read_is_refused() -> None:
    text = statement(entry()).replace(balance("OPBD", "0.00"), balance("OPBD", "nothing"))

    with pytest.raises(StatementError, match="bad_amount"):
        camt.read(text)


def test_an_entry_inside_an_entry_is_no_entry() -> None:
    (found,) = camt.read(statement(entry(details=entry("1.00"))))

    assert [line.amount_fen for line in found.lines] == [408412]


def test_an_entry_of_many_payments_keeps_each() -> None:
    details = "".join(
        detail(f"<Refs><EndToEndId>{ref.hex}</EndToEndId></Refs><Amt Ccy='CNY'>{amount}</Amt>")
        for ref, amount in ((ONE, "4000.00"), (OTHER, "84.12"))
    )

    (found,) = camt.read(statement(entry(details=details)))

    payments = found.lines[0].payments
    assert [(p.references, p.amount_fen) for p in payments] == [((ONE,), 400000), ((OTHER,), 8412)]


def test_a_lump_payment_is_taken_apart_by_its_structured_list() -> None:
    rows = "".join(
        f"<Strd><RfrdDocAmt><RmtdAmt Ccy='CNY'>{amount}</RmtdAmt></RfrdDocAmt>"
        f"<CdtrRefInf><Ref>{ref.hex}</Ref></CdtrRefInf><AddtlRmtInf>张伟</AddtlRmtInf></Strd>"
        for ref, amount in ((ONE, "4000.00"), (OTHER, "84.12"))
    )

    (found,) = camt.read(statement(entry(details=detail(f"<RmtInf>{rows}</RmtInf>"))))

    payments = found.lines[0].payments
    assert [(p.references, p.amount_fen) for p in payments] == [((ONE,), 400000), ((OTHER,), 8412)]


def test_a_return_carries_its_reason_and_what_it_returns() -> None:
    returned = detail(
        f"<Refs><EndToEndId>{ONE.hex}</EndToEndId></Refs><RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>"
    )

    (found,) = camt.read(statement(entry(details=returned)))

    assert found.lines[0].payments[0].return_code == "AC01"
    assert found.lines[0].payments[0].references == (ONE,)


def test_a_reversal_and_a_fee_are_told_apart() -> None:
    reversal = entry("2.00", direction="DBIT", more="<RvslInd>true</RvslInd>")
    fee = entry(
        "1.00",
        direction="DBIT",
        ref="<AcctSvcrRef>B3</AcctSvcrRef>",
        more="<BkTxCd><Domn><Cd>ACMT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly>"
        "</Domn></BkTxCd>",
    )

    (found,) = camt.read(statement(reversal, fee))

    assert [(line.reversal, line.fee) for line in found.lines] == [(True, False), (False, True)]


def test_an_overdrawn_balance_is_below_zero() -> None:
    text = statement(entry()).replace(balance("OPBD", "0.00"), balance("OPBD", "5.00", "DBIT"))

    assert camt.read(text)[0].opening_fen == -500


def test_the_pages_of_a_statement_hand_over_by_interim_balances() -> None:
    text = statement(entry()).replace(balance("CLBD", "4084.12"), balance("ITBD", "4084.12"))

    assert camt.read(text)[0].closing_fen == 408412


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (statement(entry(currency="USD")), "currency"),
        (statement(entry("1.234")), "bad_amount"),
        (statement(entry(direction="LEFT")), "bad_direction"),
        (statement(entry()).replace("2026-03-20", "20.3.2026"), "bad_date"),
        (statement(entry().replace("2026-03-20", "9999-12-31")), "bad_date"),
        (
            statement(
                entry().replace("<Dt>2026-03-20</Dt>", "<DtTm>9999-12-31T23:59:59-12:00</DtTm>")
            ),
            "bad_date",
        ),
        (statement(entry())[:-20], "unreadable"),
        (statement(entry()).replace("camt.053", "camt.099"), "unsupported_format"),
        (statement(entry("-1.00")), "bad_amount"),
        (statement(entry("")), "bad_amount"),
        (statement(entry().replace("<Amt Ccy='CNY'>4084.12</Amt>", "", 1)), "bad_amount"),
        (statement(entry().replace("<CdtDbtInd>CRDT</CdtDbtInd>", "", 1)), "bad_direction"),
        (
            statement(
                entry()
                .replace("<BookgDt><Dt>2026-03-20</Dt></BookgDt>", "")
                .replace("<ValDt><Dt>2026-03-21</Dt></ValDt>", "")
            ),
            "bad_date",
        ),
        (statement(entry()).replace("<Ccy>CNY", "<Ccy>USD"), "currency"),
        (statement(entry(details=detail("<Amt Ccy='EUR'>1.00</Amt>") * 2)), "currency"),
        (
            "<!DOCTYPE d SYSTEM 'file:///etc/passwd'>" + statement(entry())[38:],
            "forbidden_xml",
        ),
        (
            statement(entry(details="&xxe;")).replace(
                "<Document",
                "<!DOCTYPE d [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]><Document",
                1,
            ),
            "forbidden_xml",
        ),
        (LAUGHS + statement(entry(details="&l9;"))[38:], "forbidden_xml"),
        (statement(entry(details="&unknown;")), "unreadable"),
        ("<html/>", "unsupported_format"),
        ("<" * 5, "unreadable"),
        (
            statement(entry()).replace("<Document", "<!DOCTYPE d [<!ENTITY a 'b'>]><Document", 1),
            "forbidden_xml",
        ),
        (statement("<a>" * 70 + "</a>" * 70), "forbidden_xml"),
    ],
)
def test_what_cannot_be_relied_on_is_refused_with_a_code(text: str, code: str) -> None:
    with pytest.raises(StatementError) as refused:
        camt.read(text)

    assert refused.value.code == code
