"""pain.002, pacs.004, camt.056 and camt.029: what a bank says of a payment is read, or refused."""

from datetime import date
from uuid import UUID

import pytest

from services.settlement import statements
from services.settlement.bank.reports import Report
from services.settlement.lines import StatementError
from tests.schemas.published import faults

ID = UUID("6f2d1c64-2f0e-5b0a-9a3c-4a6965787531").hex
OTHER = UUID("6f2d1c64-2f0e-5b0a-9a3c-4a6965787532").hex
RUN = "410100-20260331-1"
CREATED = "2026-04-01T09:00:00+08:00"
AGENTS = (
    "<Assgnr><Agt><FinInstnId><BICFI>ICBKCNBJXXX</BICFI></FinInstnId></Agt></Assgnr>"
    "<Assgne><Agt><FinInstnId><BICFI>ICBKCNBJXXX</BICFI></FinInstnId></Agt></Assgne>"
)


def document(message: str, body: str) -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:{message}'>{body}</Document>"
    )


def status(group: str = "", *parts: str, message: str = "pain.002.001.12", run: str = RUN) -> str:
    said = f"<GrpSts>{group}</GrpSts>" if group else ""
    return document(
        message,
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId><CreDtTm>{CREATED}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{run}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09"
        f"</OrgnlMsgNmId>{said}</OrgnlGrpInfAndSts>{''.join(parts)}</CstmrPmtStsRpt>",
    )


def part(*payments: str, said: str = "") -> str:
    inner = f"<PmtInfSts>{said}</PmtInfSts>" if said else ""
    return (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{RUN}</OrgnlPmtInfId>{inner}{''.join(payments)}"
        "</OrgnlPmtInfAndSts>"
    )


def payment(reference: str, said: str, code: str = "") -> str:
    reason = f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{said}</TxSts>"
        f"{reason}</TxInfAndSts>"
    )


def returned(amount: str = "40.84", currency: str = "CNY", message: str = "pacs.004.001.11") -> str:
    return document(
        message,
        f"<PmtRtr><GrpHdr><MsgId>B2</MsgId><CreDtTm>{CREATED}</CreDtTm><NbOfTxs>1</NbOfTxs>"
        "<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr><TxInf><RtrId>R1</RtrId>"
        f"<OrgnlEndToEndId>{ID}</OrgnlEndToEndId>"
        f"<RtrdIntrBkSttlmAmt Ccy='{currency}'>{amount}</RtrdIntrBkSttlmAmt>"
        "<IntrBkSttlmDt>2026-04-02</IntrBkSttlmDt>"
        "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>",
    )


def recalled(message: str = "camt.056.001.12") -> str:
    return document(
        message,
        f"<FIToFIPmtCxlReq><Assgnmt><Id>A1</Id>{AGENTS}<CreDtTm>{CREATED}</CreDtTm></Assgnmt>"
        f"<Undrlyg><TxInf><CxlId>C1</CxlId><OrgnlEndToEndId>{ID}</OrgnlEndToEndId>"
        "<OrgnlIntrBkSttlmAmt Ccy='CNY'>40.84</OrgnlIntrBkSttlmAmt>"
        "<CxlRsnInf><Rsn><Cd>DUPL</Cd></Rsn></CxlRsnInf><OrgnlTxRef><CdtrAcct><Id><Othr>"
        "<Id>4501010104000045101</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInf></Undrlyg>"
        "</FIToFIPmtCxlReq>",
    )


def resolved(message: str = "camt.029.001.14") -> str:
    return document(
        message,
        f"<RsltnOfInvstgtn><Assgnmt><Id>A2</Id>{AGENTS}<CreDtTm>{CREATED}</CreDtTm></Assgnmt>"
        "<Sts><Conf>CNCL</Conf></Sts><CxlDtls><TxInfAndSts><CxlStsId>X1</CxlStsId>"
        f"<OrgnlEndToEndId>{ID}</OrgnlEndToEndId></TxInfAndSts></CxlDtls></RsltnOfInvstgtn>",
    )


def read(text: str) -> list[Report]:
    found, reports = statements.read(text.encode())
    assert not found
    return reports


def told(text: str) -> list[tuple[str, str, str, str]]:
    return [(r.run, r.reference, r.status, r.code) for r in read(text)]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("pain.002.001.12", status("PART", part(payment(ID, "RJCT", "AC04")))),
        ("pain.002.001.03", status("RJCT", message="pain.002.001.03")),
        ("camt.056.001.12", recalled()),
        ("camt.029.001.14", resolved()),
    ],
)
def test_what_is_read_here_is_what_is_published(message: str, text: str) -> None:
    """But for pacs.004, of which no package carries the whole published schema."""
    assert faults(message, text) == []


def test_the_status_of_each_payment_is_read() -> None:
    text = status("PART", part(payment(ID, "RJCT", "AC04"), payment(OTHER, "ACSC")))

    assert told(text) == [(RUN, ID, "rejected", "AC04"), (RUN, OTHER, "accepted", "")]


@pytest.mark.parametrize(
    ("said", "status_"),
    [("ACCP", "accepted"), ("ACSC", "accepted"), ("PDNG", "pending"), ("RCVD", "pending"),
     ("RJCT", "rejected"), ("CANC", "rejected")],
)  # fmt: skip
def test_what_is_said_of_the_file_is_said_of_all_payments(said: str, status_: str) -> None:
    assert told(status(said)) == [(RUN, "", status_, "")]


def test_what_is_said_of_a_part_goes_before_what_is_said_of_the_file() -> None:
    text = status("ACCP", part(payment(OTHER, "ACSC"), said="RJCT"))

    assert told(text) == [(RUN, OTHER, "accepted", ""), (RUN, "", "rejected", "")]


@pytest.mark.parametrize("version", ["03", "09", "10", "12", "15"])
def test_versions_of_a_status_are_read_alike(version: str) -> None:
    text = status("", part(payment(ID, "RJCT")), message=f"pain.002.001.{version}")

    assert told(text) == [(RUN, ID, "rejected", "")]


@pytest.mark.parametrize("version", ["02", "09", "11", "13"])
def test_a_return_is_read(version: str) -> None:
    (found,) = read(returned(message=f"pacs.004.001.{version}"))

    assert (found.id, found.reference, found.status) == ("R1", ID, "returned")
    assert (found.amount_fen, found.code, found.on) == (4084, "AC04", date(2026, 4, 2))


def test_a_recall_is_read_with_the_account_that_it_is_about() -> None:
    (found,) = read(recalled("camt.056.001.08"))

    assert (found.id, found.reference, found.status, found.code) == ("C1", ID, "recalled", "DUPL")
    assert (found.amount_fen, found.account) == (4084, "4501010104000045101")


def test_a_resolution_is_read_with_its_outcome() -> None:
    (found,) = read(resolved("camt.029.001.09"))

    assert (found.id, found.reference, found.status, found.code) == ("X1", ID, "resolved", "CNCL")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (status(""), "empty"),
        (status("RJCT", run=""), "no_payment"),
        (status("", part(payment("", "RJCT"))), "no_payment"),
        (returned(currency="USD"), "currency"),
        (returned("0.00"), "bad_amount"),
        (returned("-1.00"), "bad_amount"),
        (returned().replace(ID, ""), "no_payment"),
        (returned().replace(ID, "9" * 36), "too_long"),
        (returned().replace("2026-04-02", "2.4."), "bad_date"),
        (recalled()[:-30], "unreadable"),
        (status("RJCT").replace("pain.002", "pain.003"), "unsupported_format"),
        ("<!DOCTYPE d [<!ENTITY e 'x'>]>" + status("RJCT")[38:], "forbidden_xml"),
        (status("RJCT", "<a>" * 70 + "</a>" * 70), "forbidden_xml"),
    ],
)
def test_what_cannot_be_relied_on_is_refused_with_a_code(text: str, code: str) -> None:
    with pytest.raises(StatementError) as refused:
        read(text)

    assert refused.value.code == code
