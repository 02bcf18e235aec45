"""Every code of the books with its sentence in Chinese and English."""

CODES: dict[str, tuple[str, str]] = {
    "no_account": ("该地没有个人账户", "There is no personal account at this region"),
    "zero_balance": ("个人账户余额为零", "The personal account is empty"),
    "kept_at_origin": ("余额按规定留在转出地", "The balance stays at the origin by its rules"),
    "insufficient_balance": ("个人账户余额不足", "The personal account does not hold that much"),
    "unknown_record": ("找不到所指的记录", "The record referred to is not known here"),
    "refund_too_large": ("退回金额超过原支付金额", "More would come back than was paid"),
    "limit_reached": (
        "该转出地预划额度已满，资金到账后记入",
        "The limit for advances on this origin is reached; credited when the funds arrive",
    ),
    "single_limit": (
        "超过单笔预划限额，资金到账后记入",
        "Above the limit for one advance; credited when the funds arrive",
    ),
    "corridor_suspended": (
        "该转出地资金逾期未到，预划已暂停，资金到账后记入",
        "Advances on this origin are suspended, for its money is overdue; credited when it arrives",
    ),
    "age_limit": (
        "该转出地有预划款项超过最长期限未到账，资金到账后记入",
        "An advance on this origin is unpaid for too long; credited when the funds arrive",
    ),
    "overdue_share": ("逾期未到账的份额过高", "Too much of what is open is overdue"),
    "too_old": ("有预划款项超过最长期限未到账", "An open advance is older than any may be"),
    "by_hand": ("两人决定暂停", "Two people decided so"),
    "within_limits": ("在额度之内", "Within the limits"),
    "needs_two_people": ("须由两人办理", "It takes two people: who proposes does not approve"),
    "switched_off": (
        "未开通预划，资金到账后记入",
        "Advances are switched off here; credited when the funds arrive",
    ),
    "deceased": ("参保人已故，不再预划", "The person has died; nothing is advanced"),
    "unknown": ("到账资金暂未找到对应转移", "The receipt belongs to no transfer known so far"),
    "ambiguous": ("到账资金的线索不一致，需人工核对", "The evidence points more than one way"),
    "duplicate": ("该转移的资金已到账，疑为重复", "The transfer is funded already; paid twice?"),
    "bad_amount": ("金额必须大于零", "An amount must be above zero"),
    "same_region": ("转出地与转入地相同", "Origin and destination are the same region"),
    "unknown_region": ("地区未接入", "The region has not joined"),
    "another_corridor": ("与已登记的转移路径不符", "The claim is on another corridor"),
    "unknown_transfer": ("没有对应的转出记录", "Nothing was released for this transfer"),
    "unknown_receipt": ("没有对应的到账记录", "No such receipt is reserved"),
    "conflict": ("同一编号的内容不同", "The same id came with another content"),
}
