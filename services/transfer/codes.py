"""The published reasons of a transfer, each with a sentence in Chinese and English."""

CODES: dict[str, tuple[str, str]] = {
    "origin-not-stopped": (
        "原参保地尚未停保；停保后将自动重新发起转移。",
        "Cover at the origin is still active; when it stops, a new transfer starts by itself.",
    ),
    "duplicate": (
        "同一参保关系已有一笔转移在办理。",
        "Another transfer of the same record is under way.",
    ),
    "in_arrears": ("原参保地有欠费，请先补缴。", "There are unpaid months at the origin."),
    "retiree": ("退休人员不办理转移接续。", "The record of a retiree is not transferred."),
    "deceased": ("参保人已身故。", "The person has died."),
    "no_record_here": ("转出地没有该参保关系。", "The origin has no such record."),
    "next_plan_year": (
        "居民医保当年不转移，请为下一年度申请。",
        "Resident cover moves for the next plan year only.",
    ),
    "withdrawn": ("申请已撤回。", "The application was withdrawn."),
    "already-released": (
        "参保信息已转出，不能撤回。",
        "The record was released already; withdrawing is not possible any more.",
    ),
    "already-ended": ("该转移已经结束。", "This transfer has ended already."),
    "unknown-transfer": ("没有这笔转移。", "There is no such transfer."),
    "record-withheld": ("转出地最终未转出参保信息。", "The origin did not release the record."),
    "digest-mismatch": (
        "参保信息表校验不符，已请转出地更正。",
        "The record was damaged on the way.",
    ),
    "limit_reached": (
        "预划额度已用完，资金到账后入账。",
        "The corridor's limit is used up; the money is credited when it arrives.",
    ),
    "single_limit": (
        "超过单笔预划限额，资金到账后入账。",
        "Above the limit of a single advance; the money is credited when it arrives.",
    ),
    "corridor_suspended": (
        "转出地资金逾期，预划已暂停，资金到账后入账。",
        "The origin's money is overdue: advances are suspended; the money is credited when it"
        " arrives.",
    ),
    "age_limit": (
        "转出地有预划款项超期未到账，资金到账后入账。",
        "An advance on the origin is unpaid for too long; the money is credited when it arrives.",
    ),
    "switched_off": (
        "不适用预划，资金到账后入账。",
        "No advance applies; the money is credited when it arrives.",
    ),
    "no_account": ("没有可转移的个人账户。", "There is no personal account to move money with."),
    "account_frozen": ("转出地个人账户被冻结。", "The account at the origin is frozen."),
    "zero_balance": ("转出地个人账户余额为零。", "The account at the origin is empty."),
    "kept_at_origin": (
        "余额按规定留在转出地。",
        "The balance stays at the origin by its rules.",
    ),
    # Why a transfer is, or is not, reversed.
    "fraud": ("骗取转移，已撤销。", "The transfer was obtained by fraud and is reversed."),
    "court-order": ("依法院裁判撤销。", "The transfer is reversed by order of a court."),
    "error": ("办理有误，已撤销。", "The transfer was made in error and is reversed."),
    "moved-on": (
        "参保人已转往下一地，不能撤销。",
        "The person has moved on to the next region: it cannot be reversed.",
    ),
    "not-released": (
        "参保信息尚未转出，可直接撤回申请。",
        "The record is not released yet: the application can be withdrawn.",
    ),
    "already-reversed": ("该转移已撤销。", "The transfer is reversed already."),
    # Why the destination refuses an application or an enrollment that asked for the transfer.
    "already_enrolled": (
        "已在转入地参保。",
        "The person is enrolled at the destination already.",
    ),
    "not_enrolled": ("未在转入地参保。", "The person is not enrolled at the destination."),
    "residence_permit_needed": (
        "非本地户籍人员须提供居住证或受理凭证。",
        "People without local hukou need a residence permit or its acceptance slip.",
    ),
    "not_offered": (
        "转入地不接受此类人员参加该险种。",
        "The destination does not offer this scheme to this kind of person.",
    ),
    "unknown_region": ("所填统筹区未接入。", "The region named has not joined."),
    "same_region": ("转出地与转入地相同。", "Origin and destination are the same region."),
    "origin_unknown": (
        "不知道原参保地，请在申请中说明。",
        "It is not known where the person was insured before; the application must say so.",
    ),
    # Why a record about the person is refused.
    "already_stopped": ("参保已停止。", "The cover has stopped already."),
    "after_stop": ("该月晚于停保月。", "The month is after the last month of cover."),
    "unknown_record": ("找不到所指的记录。", "The record referred to is not known."),
    "nothing_to_correct": ("更正内容为空。", "Nothing says what is to be corrected."),
    "not_correctable": ("该内容不能更正。", "This cannot be corrected."),
    "needs_two_people": (
        "参保信息已转出，须两人复核办理。",
        "The record has been released: two people must act.",
    ),
}


def sentence(code: str | None) -> tuple[str, str]:
    """What a code says in Chinese and English; an unknown one says itself."""
    return CODES.get(code or "", (code or "", code or ""))
