"""pain.001: a bank can read the file, and it adds up."""

from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from services.settlement.lines import references
from services.settlement.pain import Due, Run, document
from shared import regions

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


def read(*, lump: bool, dues: list[Due] = DUES) -> Element:
    run = Run(
        "410100-20260331-1", "410100", date(2026, 3, 31), lump, datetime(2026, 4, 1, tzinfo=UTC)
    )
    found: Element = fromstring(document(run, REGIONS["410100"], REGIONS, dues))
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
