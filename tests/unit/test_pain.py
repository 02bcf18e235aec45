"""pain.001: a bank can read the file, and it adds up."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.lines import references
from services.settlement.pain import Due, Run, document
from shared import regions
from tests.schemas.published import faults

REGIONS = {
    region.code: region
    for region in regions.load(Path(regions.__file__).parent.parent / "deploy" / "regions").all
}
NAMESPACE = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}
IDS = [uuid5(UUID(int=0), str(n)) for n in range(3)]
DUES = [
    Due(IDS[0], "450100", 408412, "张伟"),
    Due(IDS[1], "450100", 100, ""),
    Due(IDS[2], "450300", 250, "李\x00明 & <子>"),
]


def written(*, lump: bool, dues: list[Due] = DUES, name: str = "410100-20260331-1") -> bytes:
    run = Run(name, "410100", date(2026, 3, 31), lump, datetime(2026, 4, 1, tzinfo=UTC))
    return document(run, REGIONS["410100"], REGIONS, dues)


def read(*, lump: bool, dues: list[Due] = DUES) -> Element:
    found: Element = fromstring(written(lump=lump, dues=dues))
    return found


def texts(root: Element, path: str) -> list[str | None]:
    return [found.text for found in root.findall(path, NAMESPACE)]


@pytest.mark.parametrize(("lump", "count"), [(False, "3"), (True, "2")])
def test_the_file_adds_up(lump: bool, count: str) -> None:  # noqa: FBT001
    root = read(lump=lump)

    assert texts(root, ".//p:NbOfTxs") == [count, count]
    assert texts(root, ".//p:CtrlSum") == ["4087.62", "4087.62"]
    assert len(root.findall(".//p:CdtTrfTxInf", NAMESPACE)) == int(count)


def test_one_payment_for_each_transfer_says_which() -> None:
    root = read(lump=False)

    assert texts(root, ".//p:EndToEndId") == [each.hex for each in IDS]
    assert texts(root, ".//p:Ustrd")[0] == f"张伟 {IDS[0].hex}"
    assert texts(root, ".//p:CdtrAcct/p:Id/p:Othr/p:Id")[2] == REGIONS["450300"].bank.income_account
    assert texts(root, ".//p:MsgId") == texts(root, ".//p:PmtInfId") == ["410100-20260331-1"]


def test_who_was_erased_is_paid_without_a_name() -> None:
    root = read(lump=False)

    assert texts(root, ".//p:Ustrd")[1] == IDS[1].hex


def test_a_lump_payment_carries_its_list() -> None:
    root = read(lump=True)

    first = root.find(".//p:CdtTrfTxInf", NAMESPACE)
    assert first is not None
    assert texts(first, "p:Amt/p:InstdAmt") == ["4085.12"]
    refs = [references(ref or "")[0] for ref in texts(first, ".//p:Ref")]
    assert dict(zip(refs, texts(first, ".//p:RmtdAmt"), strict=True)) == {
        IDS[0]: "4084.12",
        IDS[1]: "1.00",
    }


def test_ids_and_names_fit_their_fields() -> None:
    root = read(lump=True)

    assert all(len(text or "") <= 35 for text in texts(root, ".//p:EndToEndId"))
    assert texts(root, ".//p:AddtlRmtInf")[-1] == "李明 & <子>"


def test_a_long_name_does_not_push_out_the_case() -> None:
    root = read(lump=False, dues=[Due(IDS[0], "450100", 1, "阿卜杜" * 100)])

    (remark,) = texts(root, ".//p:Ustrd")
    assert remark is not None
    assert (len(remark), references(remark)) == (140, (IDS[0],))


def test_the_payee_is_named_with_account_and_bank() -> None:
    first = read(lump=True).find(".//p:CdtTrfTxInf", NAMESPACE)

    nanning = REGIONS["450100"].bank
    assert first is not None
    for path, text in {
        "p:CdtrAgt/p:FinInstnId/p:ClrSysMmbId/p:MmbId": nanning.bank_code,
        "p:Cdtr/p:Nm": nanning.payer_names[0],
        "p:CdtrAcct/p:Id/p:Othr/p:Id": nanning.income_account,
        "p:CdtrAcct/p:Ccy": "CNY",
        "p:CdtrAcct/p:Nm": nanning.payer_names[0],
    }.items():
        assert texts(first, path) == [text]


due = st.builds(
    Due,
    transfer=st.uuids(),
    destination=st.sampled_from([code for code in REGIONS if code != "410100"]),
    amount_fen=st.integers(1, 10**12),
    # Surrogates are refused where names come in.
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
)


@given(dues=st.lists(due, min_size=1, max_size=5), lump=st.booleans())
def test_every_file_is_valid_as_published_whoever_is_paid(dues: list[Due], lump: bool) -> None:  # noqa: FBT001
    longest = "410100-20261231-99999"

    assert faults("pain.001.001.09", written(lump=lump, dues=dues, name=longest)) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [("<PmtMtd>TRF", "<PmtMtd>WIRE"), ("<Dt>2026-03-31", "<Dt>31.3.2026"), ("MsgId>", "MsgID>")],
)
def test_a_fault_in_a_file_would_be_seen(good: str, bad: str) -> None:
    assert faults("pain.001.001.09", written(lump=False).decode().replace(good, bad))
