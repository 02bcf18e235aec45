"""The words of every letter, in Chinese and English.

`{name}` is filled in at delivery only; the other fields come from the letter's params, in the
form that `letters.render` gives them. `{why}` and `{advice}` are from `reasons`.
"""

from collections.abc import Mapping

TEMPLATES: dict[str, tuple[str, str]] = {
    "registration-refused": (
        "{name}：您好。{place}未能受理您{date}的{action}。原因：{why}。{advice}",
        "Dear {name}, {place} could not accept your {action} of {date}. Reason: {why}. {advice}",
    ),
    "accepted": (
        "{name}：您好。您的医保关系转移申请已由{origin}受理，正在转往{place}。您无需再做任何事。",
        "Dear {name}, {origin} has accepted the transfer of your medical insurance to {place}."
        " You need not do anything.",
    ),
    "refused": (
        "{name}：您好。您从{origin}到{place}的医保关系转移未能办理。原因：{why}。{advice}",
        "Dear {name}, the transfer of your medical insurance from {origin} to {place} could not be"
        " made. Reason: {why}. {advice}",
    ),
    "not-needed": (
        "{name}：您好。您从{origin}到{place}参保，按规定无需办理转移，缴费年限和账户继续有效。",
        "Dear {name}, moving your insurance from {origin} to {place} needs no transfer: your"
        " contribution months and your account remain valid.",
    ),
    "withdrawn": (
        "{name}：您好。您从{origin}到{place}的医保关系转移申请已撤回，原有关系不变。"
        "如需办理，可随时重新申请。",
        "Dear {name}, your application to transfer your insurance from {origin} to {place} has"
        " been withdrawn; nothing has changed. You may apply again at any time.",
    ),
    "ended-by-death": (
        "{name}的家属：谨致慰问。从{origin}到{place}的医保关系转移已终止。"
        "个人账户余额可由继承人向{origin}医保经办机构申请领取。",
        "To the family of {name}: our condolences. The transfer of the insurance from {origin} to"
        " {place} has ended. Heirs may claim the balance of the account from {origin}.",
    ),
    "withdrawal-refused": (
        "{name}：您好。您撤回转移申请的请求未能办理。原因：{why}。{advice}",
        "Dear {name}, your application to {place} could not be withdrawn. Reason: {why}. {advice}",
    ),
    "advance-credited": (
        "{name}：您好。您的个人账户余额{amount}元已由{place}先行划入您的个人账户，现在即可使用。"
        "{origin}的资金稍后到账，由经办机构核对，您无需再做任何事。",
        "Dear {name}, {place} has credited {amount} yuan to your personal account in advance; you"
        " can use it now. It will be funded later by {origin}, and you need not do anything.",
    ),
    "awaiting": (
        "{name}：您好。您在{origin}的个人账户余额{amount}元正在转往{place}，"
        "资金到账后即划入您的个人账户。您无需再做任何事，到账时我们会通知您。",
        "Dear {name}, the {amount} yuan of your personal account are on their way from {origin} to"
        " {place} and will be credited when they arrive. You need not do anything; we shall tell"
        " you.",
    ),
    "joined": (
        "{name}：您好。您的医保关系已由{origin}转入{place}，累计缴费{months}个月。"
        "自{entitled}起享受待遇。",
        "Dear {name}, your insurance has moved from {origin} to {place}, with {months} contribution"
        " months in total. You are entitled from {entitled}.",
    ),
    "joined-unpaid": (
        "{name}：您好。您的医保关系已由{origin}转入{place}，累计缴费{months}个月。"
        "请在{place}缴纳首月医保费，缴费后开始享受待遇。",
        "Dear {name}, your insurance has moved from {origin} to {place}, with {months} contribution"
        " months in total. Please pay the first contribution at {place}: entitlement begins then.",
    ),
    "funded": (
        "{name}：您好。{origin}转来的个人账户资金{amount}元已全部到账，"
        "先行划入您账户的款项已做实，转移资金部分办结。",
        "Dear {name}, all {amount} yuan of your personal account have arrived from {origin}: what"
        " was credited in advance is now funded. The transfer of the money is complete.",
    ),
    "credited-on-arrival": (
        "{name}：您好。{origin}转来的个人账户资金{amount}元已到账，并划入您在{place}的个人账户。",
        "Dear {name}, {amount} yuan have arrived from {origin} and are credited to your personal"
        " account at {place}.",
    ),
    "overdue": (
        "{name}：您好。您的医保关系转移在{owing}的“{step}”环节已超过规定时限（{due}），"
        "我们已催办，给您带来不便，深表歉意。您无需重新申请。",
        "Dear {name}, the step “{step}” of your transfer is late at {owing}; it was due on {due}."
        " We apologise and have urged it. You need not apply again.",
    ),
    "overdue-funds": (
        "{name}：您好。{owing}应转来的个人账户资金已超过规定时限（{due}），"
        "我们已催办，深表歉意。已划入您账户的款项不受影响。",
        "Dear {name}, the money of your personal account is late from {owing}; it was due on"
        " {due}. We apologise and have urged it. What was credited to you already stays yours.",
    ),
    "paid-out": (
        "{name}：您好。因转入地没有个人账户，{paying}已将您的个人账户余额{amount}元支付给您本人。",
        "Dear {name}, as there is no personal account at your new place of insurance, {paying} has"
        " paid the balance of {amount} yuan out to you.",
    ),
    "paid-out-to-heirs": (
        "{name}的家属：谨致慰问。{paying}已将{name}的个人账户余额{amount}元支付给继承人。",
        "To the family of {name}: our condolences. {paying} has paid the balance of {amount} yuan"
        " of the personal account out to the heirs.",
    ),
    "adjusted": (
        "{name}：您好。{origin}更正了转出金额，{place}已从您的个人账户收回多划的{amount}元。"
        "您无需再做任何事。",
        "Dear {name}, {origin} has corrected the amount it transferred: {place} took {amount} yuan"
        " that were too much back. You need not do anything.",
    ),
    "recovery-demanded": (
        "{name}：您好。{origin}更正了转出金额，多划的{amount}元中有{owed}元已经使用，须退回{place}。"
        "今后入账的款项将先行抵扣，您也可以主动退回；账户不会出现负数。",
        "Dear {name}, {origin} has corrected the amount it transferred: of {amount} yuan too much,"
        " {owed} have been spent and are owed to {place}. Later credits pay them off by"
        " themselves, or you may pay them back; your account never goes below zero.",
    ),
    "recovered": (
        "{name}：您好。您应退回{place}的款项已收到{amount}元，尚欠{owed}元。",
        "Dear {name}, {place} has received {amount} yuan of what you owed; {owed} yuan remain.",
    ),
    "excused": (
        "{name}：您好。您应退回{place}的{amount}元已核销，无需再退回。",
        "Dear {name}, {place} has written off {amount} yuan that you owed: you need not pay them.",
    ),
    "reversed": (
        "{name}：您好。您从{origin}到{place}的医保关系转移已撤销，参保关系恢复在{origin}。"
        "如有疑问，请联系医保经办机构。",
        "Dear {name}, the transfer of your insurance from {origin} to {place} has been reversed:"
        " your record is at {origin} again. If you have questions, please ask the agency.",
    ),
    "restored": (
        "{name}：您好。转移撤销后，尚未使用的{amount}元已恢复到您在{origin}的个人账户。",
        "Dear {name}, after the reversal the {amount} yuan that were unspent are in your account at"
        " {origin} again.",
    ),
    "withheld": (
        "{name}：您好。您在{origin}的个人账户目前不能转出（冻结或待结算），"
        "应转往{place}的资金暂缓划转，{date}再行办理。参保关系照常转移，您无需重新申请。",
        "Dear {name}, your personal account at {origin} may not leave at present (it is frozen, or"
        " a bill is to be settled first): its money moves to {place} later and is asked for again"
        " on {date}. Your record moves as usual; you need not apply again.",
    ),
    "frozen": (
        "{name}：您好。您在{place}的个人账户已冻结，其间不能支付或转出，入账照常。"
        "如有疑问，请联系医保经办机构。",
        "Dear {name}, your personal account at {place} is frozen: nothing can be paid or moved from"
        " it, while what comes in is credited. If you have questions, please ask the agency.",
    ),
    "unfrozen": (
        "{name}：您好。您在{place}的个人账户已解除冻结，可正常使用。",
        "Dear {name}, your personal account at {place} is free again: use it as before.",
    ),
}

REST = (
    "其余{rest}元到账后再划入。",
    "The other {rest} yuan are credited when they arrive.",
)
"""Said besides where a part of what was not advanced has arrived."""

LATE = (
    "该款晚于规定时限到账，我们深表歉意。",
    "It came later than the rules allow; we apologise.",
)
"""Said besides where the money came after its deadline."""

ACTIONS: dict[str, tuple[str, str]] = {
    "enroll": ("参保登记", "registration"),
    "apply": ("转移申请", "application for a transfer"),
    "withdraw": ("撤回申请", "withdrawal"),
    "correct": ("信息更正", "correction"),
}

STEPS: dict[str, tuple[str, str]] = {
    "answer": ("受理", "answer to the request"),
    "transfer-out": ("转出", "transfer out"),
    "transfer-in": ("转入", "transfer in"),
    "whole": ("转移办结", "completion"),
    "funds": ("资金划转", "remittance"),
}

NAMED = {"action": ACTIONS, "step": STEPS}
"""Params that are words of a list."""

CALLED = {
    "amount_fen": "amount",
    "owed_fen": "owed",
    "rest_fen": "rest",
    "at": "date",
    "months_total": "months",
    "entitled_from": "entitled",
}
"""How a letter's params are called in its template, where it is not the same; `_fen` is shown in
yuan.
"""

UNNAMED = ("参保人", "insured person")
"""Stands for the name where it must not or cannot be shown."""


def with_waiting(
    chinese: str, english: str, params: Mapping[str, str | int | None]
) -> tuple[str, str]:
    """The letter with the waiting period, and how far back cover reaches, where there is one."""
    if params.get("waiting_months"):
        chinese += f"其中等待期{params['waiting_months']}个月。"
        english += f" The waiting period is {params['waiting_months']} months."
    if params.get("retroactive_from"):
        chinese += f"待遇追溯至{params['retroactive_from']}。"
        english += f" Cover reaches back to {params['retroactive_from']}."
    return chinese, english
