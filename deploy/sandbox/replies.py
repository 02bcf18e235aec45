"""What a bank says of payments: in its entries, in `pain.002.001.10` and in `pacs.004.001.09`."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from deploy.sandbox.bank_books import Due
from deploy.sandbox.camt import Detail
from shared.money import yuan

_URN = "urn:iso:std:iso:20022:tech:xsd:"


def going_out(due: Due) -> Detail:
    """A payment in the account that pays."""
    return Detail(
        amount_fen=due.amount_fen,
        reference=due.payment.reference,
        creditor_account=due.payment.creditor_account,
        remark="转移支出",
    )


def coming_back(due: Due, code: str) -> Detail:
    """A payment that came back to it."""
    return Detail(
        amount_fen=due.amount_fen,
        reference=due.payment.reference,
        remark="退汇",
        return_code=code,
    )


def rejections(name: str, day: date, dues: Iterable[Due], code: str) -> bytes:
    """The payments that the bank does not make, file by file as they were told."""
    by_file: defaultdict[str, list[Due]] = defaultdict(list)
    for due in dues:
        by_file[due.payment.message].append(due)
    ((message, rejected),) = by_file.items()
    payments = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{due.payment.reference}</OrgnlEndToEndId>"
        f"<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for due in rejected
    )
    return _document(
        "pain.002.001.10",
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>{name}</MsgId><CreDtTm>{day}T20:00:00+08:00</CreDtTm>"
        f"</GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>"
        "<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{payments}"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt>",
    )


def return_of(name: str, day: date, due: Due, code: str) -> bytes:
    """A payment that comes back, before the statement shows it."""
    return _document(
        "pacs.004.001.09",
        f"<PmtRtr><GrpHdr><MsgId>{name}</MsgId><CreDtTm>{day}T20:00:00+08:00</CreDtTm>"
        "<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>"
        f"<TxInf><RtrId>{name}</RtrId>"
        f"<OrgnlEndToEndId>{due.payment.reference}</OrgnlEndToEndId>"
        f'<RtrdIntrBkSttlmAmt Ccy="CNY">{yuan(due.amount_fen)}</RtrdIntrBkSttlmAmt>'
        f"<IntrBkSttlmDt>{day}</IntrBkSttlmDt>"
        f"<RtrRsnInf><Rsn><Cd>{code}</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>",
    )


def _document(message: str, body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<Document xmlns="{_URN}{message}">{body}</Document>\n'.encode()
