"""What each message of a transfer means, as a sentence in Chinese and English.

`{to}` is the region the message is for; fields that name a region are given by name, `…_fen` as
yuan, months and days as text.
"""

from services.monitor.sentences_back import BACK
from services.monitor.sentences_people import ASKED, PEOPLE

SENTENCES: dict[str, tuple[str, str]] = {
    **BACK,
    **PEOPLE,
    "enrollment.register.v1": (
        "{to}收到{action}记录（来源{source}）",
        "{to} received a record: {action} (from {source})",
    ),
    "enrollment.registered.v1": ("{to}登记成功：{action}", "{to} registered it: {action}"),
    "enrollment.registration-refused.v1": (
        "{to}未予登记：{action}，原因 {code}",
        "{to} refused to register it: {action}, {code}",
    ),
    "enrollment.release-record.v1": (
        "向{to}申请转出参保信息，转往{destination}",
        "{to} was asked to release the record to {destination}",
    ),
    "enrollment.release-accepted.v1": ("{origin}已受理", "{origin} accepted the request"),
    "enrollment.release-refused.v1": (
        "{origin}未受理，原因 {code}",
        "{origin} refused the request: {code}",
    ),
    "enrollment.record-released.v1": (
        "{origin}转出参保信息表，第{version}版",
        "{origin} released the record, version {version}",
    ),
    "enrollment.complete-release.v1": (
        "{to}经办完成，复核后转出",
        "{to} has handled the request: it is checked once more and released",
    ),
    "enrollment.cancel-release.v1": (
        "请{to}取消转出申请",
        "{to} was asked to cancel the release",
    ),
    "enrollment.release-cancelled.v1": ("{origin}已取消转出", "{origin} cancelled the release"),
    "enrollment.join-record.v1": (
        "请{to}转入{origin}的参保信息，第{version}版",
        "{to} was asked to join the record of {origin}, version {version}",
    ),
    "enrollment.record-joined.v1": (
        "{to}转入办结，累计{months_total}个月，待遇起始月{entitled_from}",
        "{to} joined the record: {months_total} months in total, entitled from {entitled_from}",
    ),
    "enrollment.record-disputed.v1": (
        "{to}对{origin}的参保信息有异议：{code}",
        "{to} disputes the record of {origin}: {code}",
    ),
    "enrollment.correct-record.v1": (
        "请{to}更正参保信息：{code}",
        "{to} was asked to correct the record: {code}",
    ),
    "enrollment.record-corrected.v1": (
        "{origin}更正参保信息，第{version}版",
        "{origin} corrected the record, version {version}",
    ),
    "enrollment.record-withheld.v1": (
        "{origin}不予转出：{code}",
        "{origin} withholds the record: {code}",
    ),
    "enrollment.terminate-record.v1": (
        "请{to}终止原参保关系",
        "{to} was asked to terminate the former relation",
    ),
    "enrollment.cover-stopped.v1": (
        "{origin}已停保，重新发起转移",
        "cover at {origin} has stopped: the transfer starts again",
    ),
    "enrollment.person-deceased.v1": (
        "参保人已于{died_on}去世",
        "the person died on {died_on}",
    ),
    "transfer.apply.v1": (
        "申请从{origin}转移至{to}",
        "application to transfer from {origin} to {to}",
    ),
    "transfer.pause.v1": ("{by}暂停办理：{why}", "{by} paused it: {why}"),
    "transfer.resume.v1": ("{by}恢复办理：{why}", "{by} resumed it: {why}"),
    "transfer.retry.v1": (
        "{by}重发未获答复的指令：{why}",
        "{by} had what is unanswered said again: {why}",
    ),
    "transfer.withdraw.v1": ("申请撤回转移", "the application is to be withdrawn"),
    "transfer.overdue.v1": (
        "{region}的环节“{step}”超过时限{due_at}，已催办",
        "the step “{step}” of {region} was due by {due_at}: it was urged",
    ),
    "transfer.escalated.v1": (
        "{region}的环节“{step}”仍未完成，升级至第{level}级",
        "the step “{step}” of {region} is still missing: escalated to level {level}",
    ),
    "transfer.withdrawn.v1": ("转移已撤回（{code}）", "the transfer was withdrawn ({code})"),
    "transfer.withdrawal-refused.v1": (
        "撤回未获同意：{code}",
        "the withdrawal was refused: {code}",
    ),
    "transfer.closed.v1": (
        "转移办结：关系 {record}，资金 {money}",
        "the transfer is closed: record {record}, money {money}",
    ),
    "settlement.release-funds.v1": (
        "请{to}转出个人账户余额",
        "{to} was asked to release the personal account",
    ),
    "settlement.funds-released.v1": (
        "{origin}转出个人账户本金{principal_fen}元、利息{interest_fen}元",
        "{origin} released {principal_fen} yuan and {interest_fen} yuan of interest",
    ),
    "settlement.interest-credited.v1": (
        "{to}个人账户计息{amount_fen}元，算至{until}前",
        "{to} credited {amount_fen} yuan of interest, earned before {until}",
    ),
    "settlement.nothing-to-release.v1": (
        "{origin}没有可转出的资金：{code}",
        "{origin} has no money to release: {code}",
    ),
    "settlement.funds-withheld.v1": (
        "{origin}暂缓转出资金至{until}：{code}",
        "{origin} withholds the money until {until}: {code}",
    ),
    "settlement.funds-corrected.v1": (
        "{origin}更正转出金额，相差{delta_fen}元，第{version}版",
        "{origin} corrected its release by {delta_fen} yuan, version {version}",
    ),
    "settlement.credit-advance.v1": (
        "请{to}预划{amount_fen}元",
        "{to} was asked to credit {amount_fen} yuan in advance",
    ),
    "settlement.advance-credited.v1": (
        "{to}预划{amount_fen}元，已到个人账户",
        "{to} credited {amount_fen} yuan in advance",
    ),
    "settlement.advance-declined.v1": (
        "{to}未预划（{code}），待{origin}资金{awaiting_fen}元到账",
        "{to} made no advance ({code}): {awaiting_fen} yuan are awaited from {origin}",
    ),
    "settlement.offer-again.v1": (
        "额度已恢复，请{to}再次预划",
        "the limit has room again: {to} was asked to advance anew",
    ),
    "settlement.apply-receipt.v1": (
        "到账{amount_fen}元已匹配（规则 {rule}）",
        "a receipt of {amount_fen} yuan was matched (rule {rule})",
    ),
    "settlement.advance-funded.v1": (
        "预划已做实：累计到账{matched_fen}元",
        "the advance is funded: {matched_fen} yuan have arrived",
    ),
    "settlement.funds-credited.v1": (
        "到账{applied_fen}元并划入个人账户",
        "{applied_fen} yuan arrived and were credited",
    ),
    "settlement.shortfall-found.v1": (
        "到账不足：累计{matched_fen}元，尚缺{open_fen}元",
        "too little has arrived: {matched_fen} yuan, {open_fen} yuan are open",
    ),
    "settlement.excess-found.v1": (
        "到账多出{excess_fen}元，暂挂待处理",
        "too much has arrived: {excess_fen} yuan are in suspense",
    ),
    "settlement.pay-out.v1": (
        "请{to}支付个人账户余额（{reason}）",
        "{to} was asked to pay the account out ({reason})",
    ),
    "settlement.paid-out.v1": (
        "{region}已支付{amount_fen}元（{reason}）",
        "{region} paid {amount_fen} yuan out ({reason})",
    ),
    "settlement.instruct-remittance.v1": (
        "{to}将向{destination}汇款{amount_fen}元（批次 {run}）",
        "{to} is to remit {amount_fen} yuan to {destination} (run {run})",
    ),
    "settlement.remittance-instructed.v1": (
        "已向银行发出汇往{destination}的{amount_fen}元付款指令",
        "the bank was told to pay {amount_fen} yuan to {destination}",
    ),
    "settlement.remittance-debited.v1": (
        "银行已向{destination}付款{amount_fen}元",
        "the bank has paid {amount_fen} yuan to {destination}",
    ),
    "settlement.remittance-returned.v1": (
        "汇往{destination}的{amount_fen}元被退回",
        "{amount_fen} yuan paid to {destination} came back",
    ),
    "settlement.report-remittance.v1": (
        "银行对批次 {run} 的付款答复：{status}",
        "the bank says of the payment in run {run}: {status}",
    ),
    "settlement.remittance-accepted.v1": (
        "银行已受理批次 {run} 的付款",
        "the bank has taken the payment of run {run}",
    ),
    "settlement.remittance-rejected.v1": (
        "银行拒绝付款（{code}），{amount_fen}元将重新汇出",
        "the bank has rejected the payment ({code}): {amount_fen} yuan are instructed again",
    ),
    "settlement.announce-return.v1": (
        "银行通知退汇{amount_fen}元（{code}）",
        "the bank announced that {amount_fen} yuan come back ({code})",
    ),
    "settlement.match-receipt.v1": (
        "{proposed_by}提出、{approved_by}批准：到账归入本笔转移（{reason}）",
        "{proposed_by} proposed and {approved_by} approved that the receipt is for it ({reason})",
    ),
    "settlement.propose-line.v1": (
        "{origin}至{destination}的{amount_fen}元列入{to}轧差清算（{side}方）",
        "{amount_fen} yuan from {origin} to {destination} are to be netted by {to} ({side} side)",
    ),
    "settlement.shrink-line.v1": (
        "已另行收付{amount_fen}元，不再轧差（{side}方）",
        "{amount_fen} yuan were paid outside the net sheet ({side} side)",
    ),
    "settlement.confirm-line.v1": (
        "{region}的{by}确认轧差明细",
        "{by} of {region} agrees with the line of the net sheet",
    ),
    "settlement.dispute-line.v1": (
        "{region}的{by}对轧差明细有异议：{reason}",
        "{by} of {region} disputes the line of the net sheet: {reason}",
    ),
    "settlement.line-confirmed.v1": (
        "{region}已确认轧差明细{amount_fen}元",
        "{region} has agreed with {amount_fen} yuan of the net sheet",
    ),
    "settlement.line-disputed.v1": (
        "{amount_fen}元因{region}的异议（{reason}）移出轧差表，转入下期",
        "{amount_fen} yuan left the net sheet, disputed by {region} ({reason}); they roll over",
    ),
    "settlement.settle-line.v1": (
        "{month}轧差表已定，与{payer}的款项据此清算",
        "the net sheet of {month} is final: it settles what {payer} owes",
    ),
    "notification.letter-failed.v1": (
        "未能通知参保人：{kind}（{code}）",
        "the person could not be told: {kind} ({code})",
    ),
}

LETTER_SENT = "notification.letter-sent.v1"
TOLD = ("已通知参保人：{kind}（{channel}）", "the person was told: {kind} ({channel})")
"""A letter that arrived, as notification's own rows have it."""

SILENT = ASKED | {"enrollment.answered.v1", "transfer.remind.v1", LETTER_SENT}
"""Messages that say nothing a reader of the timeline does not learn from elsewhere."""
