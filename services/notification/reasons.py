"""Why something was refused and what the person can do, per code, in Chinese and English."""

from typing import NamedTuple


class Reason(NamedTuple):
    """The cause as half a sentence and the advice as a whole one, each in both languages."""

    why_zh: str
    why_en: str
    advice_zh: str
    advice_en: str


REASONS: dict[str, Reason] = {
    "origin-not-stopped": Reason(
        "您在转出地的参保尚未停保",
        "your cover at the former place is still active",
        "请先在转出地办理停保；停保后系统会自动重新发起转移，您无需再次申请。",
        "Please have it stopped there; the transfer then starts again by itself.",
    ),
    "duplicate": Reason(
        "您的关系已在向另一地转移",
        "your record is already being transferred to another place",
        "请先撤回另一申请，或等待其办结。",
        "Please withdraw the other application first, or wait until it is complete.",
    ),
    "in_arrears": Reason(
        "您在转出地有欠缴的医保费",
        "contributions are unpaid at the former place",
        "请先补缴欠费，再申请转移。",
        "Please pay them first, then apply again.",
    ),
    "retiree": Reason(
        "您已办理退休并享受退休人员医保待遇，关系不再转移",
        "you receive the insurance of a retiree, which is not transferred",
        "您的待遇不变；异地居住可申请异地就医备案。",
        "Your benefits stay as they are; living elsewhere you may register for care there.",
    ),
    "deceased": Reason(
        "登记显示该参保人已去世",
        "the person is registered as deceased",
        "如登记有误，请家属联系医保经办机构。",
        "If this is wrong, please let the family contact the agency.",
    ),
    "no_record_here": Reason(
        "转出地没有您的参保记录",
        "there is no record of your insurance at the former place",
        "请核对原参保地后重新申请。",
        "Please check where you were insured before, then apply again.",
    ),
    "unknown_region": Reason(
        "所填原参保地不在系统内",
        "the former place you named is not known to the system",
        "请核对原参保地后重新申请。",
        "Please check where you were insured before, then apply again.",
    ),
    "origin_unknown": Reason(
        "不知道您原来在哪里参保",
        "it is not known where you were insured before",
        "请在申请中填写原参保地。",
        "Please name the former place of insurance in the application.",
    ),
    "next_plan_year": Reason(
        "居民医保只能从下一个参保年度起转入",
        "residents' insurance moves from the next plan year only",
        "请在集中参保期为下一年度参保。",
        "Please enroll for the next plan year.",
    ),
    "already_enrolled": Reason(
        "您已在该地参保",
        "you are already enrolled there",
        "您无需再次登记。",
        "You need not register again.",
    ),
    "not_enrolled": Reason(
        "您尚未在该地参保",
        "you are not enrolled there yet",
        "请先办理参保登记，再申请转移。",
        "Please enroll first, then apply for the transfer.",
    ),
    "residence_permit_needed": Reason(
        "非本地户籍人员须提供居住证或受理凭证",
        "people without local hukou need a residence permit or its acceptance slip",
        "请补齐材料后重新办理。",
        "Please bring the missing paper and register again.",
    ),
    "not_offered": Reason(
        "该地不接受此类人员参加该险种",
        "this scheme is not offered there to people in your situation",
        "请咨询医保经办机构可以参加的险种。",
        "Please ask the agency which scheme you can join.",
    ),
    "same_region": Reason(
        "转出地与转入地相同",
        "the former and the new place are the same",
        "您无需办理转移。",
        "You need no transfer.",
    ),
    "unknown_record": Reason(
        "找不到所指的登记记录",
        "the record you refer to is not known there",
        "请核对后重新提交。",
        "Please check it and send it again.",
    ),
    "nothing_to_correct": Reason(
        "没有填写需要更正的内容",
        "nothing says what is to be corrected",
        "请填写需要更正的内容后重新提交。",
        "Please say what is to be corrected and send it again.",
    ),
    "not_correctable": Reason(
        "该内容不能更正",
        "this cannot be corrected",
        "请联系医保经办机构。",
        "Please contact the agency.",
    ),
    "needs_two_people": Reason(
        "关系已经转出，更改须由经办机构复核",
        "the record has moved already, and a change needs the agency's review",
        "请联系医保经办机构。",
        "Please contact the agency.",
    ),
    "already-released": Reason(
        "转出地已转出您的关系",
        "the former place has released your record already",
        "如确需退回，请联系转入地医保经办机构。",
        "If it must be taken back, please contact the agency of the new place.",
    ),
    "already-ended": Reason(
        "该转移已经结束",
        "the transfer has ended already",
        "您无需再做任何事。",
        "You need not do anything.",
    ),
    "unknown-transfer": Reason(
        "没有这笔转移",
        "there is no such transfer",
        "请核对后重新提交。",
        "Please check it and send it again.",
    ),
    "record-withheld": Reason(
        "转出地不能确认您的参保信息",
        "the former place cannot confirm your record",
        "请联系转出地医保经办机构核对参保信息。",
        "Please check your record with the agency of the former place.",
    ),
    "digest-mismatch": Reason(
        "转来的参保信息校验不符",
        "the record that arrived was damaged on the way",
        "转出地会重新发送，您无需再做任何事。",
        "The former place sends it again; you need not do anything.",
    ),
    "already_stopped": Reason(
        "您在该地的参保已经停止",
        "your cover there has stopped already",
        "您无需再次办理停保。",
        "You need not have it stopped again.",
    ),
    "after_stop": Reason(
        "所填月份晚于您的停保月",
        "the month named is after your last month of cover",
        "请核对月份后重新提交。",
        "Please check the month and send it again.",
    ),
    "no_account": Reason(
        "您在该地没有个人账户",
        "you have no personal account there",
        "缴费年限照常转移；个人账户事宜请咨询医保经办机构。",
        "Your months move all the same; please ask the agency about the account.",
    ),
    "limit_reached": Reason(
        "该转出地的预划额度已用完",
        "the limit for advances on the former place is used up",
        "资金到账后即划入您的个人账户，您无需再做任何事。",
        "The money is credited when it arrives; you need not do anything.",
    ),
    "single_limit": Reason(
        "金额超过单笔预划限额",
        "the amount is above the limit of a single advance",
        "资金到账后即划入您的个人账户，您无需再做任何事。",
        "The money is credited when it arrives; you need not do anything.",
    ),
    "corridor_suspended": Reason(
        "该转出地的资金逾期未到，预划已暂停",
        "advances are suspended, for money of the former place is overdue",
        "资金到账后即划入您的个人账户；恢复预划后也会提前划入，您无需再做任何事。",
        "The money is credited when it arrives, or when advances are made again; you need not do"
        " anything.",
    ),
    "age_limit": Reason(
        "该转出地有预划款项超过最长期限未到账",
        "money of the former place is unpaid for longer than may be",
        "资金到账后即划入您的个人账户，您无需再做任何事。",
        "The money is credited when it arrives; you need not do anything.",
    ),
    "switched_off": Reason(
        "该转移不适用预划",
        "no advance applies to this transfer",
        "资金到账后即划入您的个人账户，您无需再做任何事。",
        "The money is credited when it arrives; you need not do anything.",
    ),
}

_UNKNOWN = Reason(
    "未通过规则核验（代码 {code}）",
    "the rules do not allow it (code {code})",
    "请联系医保经办机构，并告知该代码。",
    "Please contact the agency and name this code.",
)


def reason(code: str) -> Reason:
    """The reason of a code; an unknown one is named, so that the agency can explain it."""
    plain = code.replace("_", "-")
    found = REASONS.get(code) or _BY_PLAIN.get(plain)
    return found or Reason(*(text.replace("{code}", code) for text in _UNKNOWN))


_BY_PLAIN = {code.replace("_", "-"): found for code, found in REASONS.items()}
