"""Codes that stand in sentences, as the words of people: by field, in Chinese and English."""

WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "step": {
        "answer": ("受理", "answer"),
        "transfer-out": ("转出", "release"),
        "transfer-in": ("转入", "joining"),
        "whole": ("全程", "whole transfer"),
        "funds": ("资金", "funds"),
    },
    "action": {
        "open": ("参保信息建档", "a relation as it stood"),
        "enroll": ("参保登记", "enrollment"),
        "suspend": ("停保", "end of cover"),
        "contribute": ("缴费", "contribution"),
        "apply": ("转移申请", "application to transfer"),
        "withdraw": ("撤回申请", "withdrawal"),
        "correct": ("更正", "correction"),
        "spend": ("账户支出", "spending"),
        "refund": ("退费", "refund"),
        "decease": ("死亡登记", "death"),
    },
    "record": {
        "joined": ("已转入", "joined"),
        "refused": ("未予转出", "refused"),
        "withdrawn": ("已撤回", "withdrawn"),
        "not_needed": ("无需转移", "not needed"),
        "restored": ("已恢复原状", "put back"),
    },
    "money": {
        "none": ("无", "none"),
        "funded": ("已做实", "funded"),
        "paid_out": ("已由转出地一次性支付", "paid out by the origin"),
        "restored": ("已恢复至转出地账户", "put back"),
        "recovered": ("已追回", "recovered"),
        "written_off": ("已核销", "written off"),
        "returned_to_origin": ("已退回转出地", "returned to the origin"),
    },
    "kind": {
        "registration-refused": ("未予登记", "registration refused"),
        "accepted": ("已受理", "request accepted"),
        "refused": ("未予转移", "transfer refused"),
        "not-needed": ("无需转移", "no transfer needed"),
        "withdrawn": ("已撤回", "withdrawn"),
        "ended-by-death": ("因参保人去世终止", "ended by death"),
        "withdrawal-refused": ("不能撤回", "withdrawal refused"),
        "advance-credited": ("个人账户资金已预划", "advance credited"),
        "awaiting": ("个人账户资金待到账", "money awaited"),
        "joined": ("参保关系已转入", "record joined"),
        "joined-unpaid": ("参保关系已转入，待缴费", "record joined, contribution awaited"),
        "funded": ("预划资金已做实", "advance funded"),
        "credited-on-arrival": ("资金到账并已记入", "money arrived and credited"),
        "overdue": ("办理超过时限", "a step is late"),
        "overdue-funds": ("资金超过时限未到", "the money is late"),
        "paid-out": ("个人账户余额已支付", "account paid out"),
        "paid-out-to-heirs": ("个人账户余额已支付给继承人", "account paid out to the heirs"),
        "adjusted": ("个人账户已更正", "account corrected"),
        "recovery-demanded": ("请退回多记款项", "asked to pay back"),
        "recovered": ("多记款项已退回", "paid back"),
        "excused": ("多记款项不再追回", "excused from paying back"),
        "reversed": ("转移已撤销", "transfer reversed"),
        "restored": ("原账户已恢复", "account restored"),
        "withheld": ("个人账户暂不能转出", "account held, money later"),
        "frozen": ("个人账户已冻结", "account frozen"),
        "unfrozen": ("个人账户已解除冻结", "account free again"),
    },
    "channel": {"file": ("文件", "file"), "webhook": ("推送", "webhook")},
}


def word(field: str, code: str) -> tuple[str, str]:
    """The words for a field's code; the code itself where it has none."""
    return WORDS.get(field, {}).get(code, (code, code))
