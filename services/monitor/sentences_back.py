"""What a message means by which a transfer goes back, as a sentence in Chinese and English."""

BACK: dict[str, tuple[str, str]] = {
    "transfer.reverse.v1": (
        "{proposed_by}提出、{approved_by}复核，撤销转移（{reason}）：{why}",
        "{proposed_by} and {approved_by} reverse the transfer ({reason}): {why}",
    ),
    "transfer.reversal-refused.v1": (
        "转移未能撤销：{code}",
        "the transfer is not reversed: {code}",
    ),
    "enrollment.amend-record.v1": (
        "{proposed_by}提出、{approved_by}复核，更正{to}已转出的记录（{reason}）",
        "{proposed_by} and {approved_by} correct a released record of {to} ({reason})",
    ),
    "settlement.ask-correction.v1": (
        "{to}报送更正已转出的记录，须两人复核",
        "{to} corrects a released record: two people have to decide",
    ),
    "enrollment.drop-amendment.v1": (
        "{proposed_by}提出、{approved_by}复核，{to}已转出的记录维持不变（{reason}）",
        "{proposed_by} and {approved_by} leave a released record of {to} as it is ({reason})",
    ),
    "enrollment.restore-record.v1": (
        "转移撤销，请{to}恢复原状",
        "the transfer is reversed: {to} was asked to put the record back",
    ),
    "enrollment.record-restored.v1": (
        "{region}已恢复原状",
        "{region} has put the record back",
    ),
    "enrollment.restore-refused.v1": (
        "{to}不能退回参保信息：{code}",
        "{to} cannot give the record back: {code}",
    ),
    "settlement.adjust-advance.v1": (
        "请{to}收回{amount_fen}元，第{version}版",
        "{to} was asked to take {amount_fen} yuan back, version {version}",
    ),
    "settlement.advance-adjusted.v1": (
        "{to}收回{amount_fen}元，其中账户余额{unspent_fen}元，待追回{recoverable_fen}元",
        "{to} took {amount_fen} yuan back, {unspent_fen} of it unspent; {recoverable_fen} are owed",
    ),
    "settlement.reverse-advance.v1": (
        "请{to}收回尚未使用的款项",
        "{to} was asked to take back what is unspent",
    ),
    "settlement.advance-reversed.v1": (
        "{to}收回尚未使用的{amount_fen}元，已使用部分仍由{origin}承担",
        "{to} took {amount_fen} unspent yuan back; {origin} still owes what was spent",
    ),
    "settlement.restore-funds.v1": (
        "请{to}恢复个人账户{amount_fen}元",
        "{to} was asked to restore {amount_fen} yuan to the account",
    ),
    "settlement.funds-restored.v1": (
        "{origin}已恢复个人账户{amount_fen}元",
        "{origin} restored {amount_fen} yuan to the account",
    ),
    "settlement.correct-interest.v1": (
        "{proposed_by}提出、{approved_by}复核，{to}更正利息为{interest_fen}元（{reason}）",
        "{proposed_by} and {approved_by} correct the interest at {to} to {interest_fen} yuan"
        " ({reason})",
    ),
    "settlement.write-off.v1": (
        "{proposed_by}提出、{approved_by}复核，请{to}核销（{reason}）",
        "{proposed_by} and {approved_by} have {to} write a loss off ({reason})",
    ),
    "settlement.written-off.v1": (
        "{to}核销{amount_fen}元（{reason}）",
        "{to} wrote {amount_fen} yuan off ({reason})",
    ),
    "settlement.waive.v1": (
        "{proposed_by}提出、{approved_by}复核，请{to}豁免{origin}的欠款（{reason}）",
        "{proposed_by} and {approved_by} have {to} forgive {origin} its debt ({reason})",
    ),
    "settlement.waived.v1": (
        "{to}豁免{origin}欠款{amount_fen}元（{reason}）",
        "{to} forgave {origin} {amount_fen} yuan ({reason})",
    ),
    "settlement.book-waiver.v1": (
        "{destination}豁免{amount_fen}元，请{to}入账",
        "{destination} has forgiven {amount_fen} yuan: {to} books it",
    ),
    "settlement.recover.v1": (
        "{proposed_by}提出、{approved_by}复核，请{to}追回（{reason}）",
        "{proposed_by} and {approved_by} have {to} recover what is owed ({reason})",
    ),
    "settlement.recovered.v1": (
        "{to}追回{amount_fen}元，尚欠{recoverable_fen}元",
        "{to} recovered {amount_fen} yuan; {recoverable_fen} are still owed",
    ),
    "settlement.return-receipt.v1": (
        "{proposed_by}提出、{approved_by}复核，请{to}退回多到资金（{reason}）",
        "{proposed_by} and {approved_by} have {to} send an excess back ({reason})",
    ),
    "settlement.receipt-returned.v1": (
        "{to}将多到的{amount_fen}元退回{origin}",
        "{to} owes {origin} the {amount_fen} yuan that came in excess",
    ),
    "settlement.undo-match.v1": (
        "{proposed_by}提出、{approved_by}复核，撤销一笔到账的认领（{reason}）",
        "{proposed_by} and {approved_by} undo the match of a receipt ({reason})",
    ),
    "settlement.match-undone.v1": (
        "一笔到账不再归入本笔转移，{amount_fen}元退回暂收款，{origin}重新欠款",
        "a receipt is its no longer: {amount_fen} yuan are in suspense, and {origin} owes them",
    ),
    "settlement.take-back-receipt.v1": (
        "银行收回已匹配的到账{amount_fen}元",
        "the bank takes a matched credit of {amount_fen} yuan back",
    ),
    "settlement.receipt-taken-back.v1": (
        "到账{amount_fen}元已被银行收回，{origin}重新欠款",
        "the bank took {amount_fen} yuan back: {origin} owes them again",
    ),
    "settlement.act-declined.v1": (
        "{act}未能办理：{code}",
        "{act} changed nothing: {code}",
    ),
}
