"""What people do about an item of work, as a sentence in Chinese and English."""

PEOPLE: dict[str, tuple[str, str]] = {
    "settlement.item-opened.v1": (
        "生成待办事项（{queue}）",
        "somebody has to look at it (queue {queue})",
    ),
    "settlement.item-done.v1": (
        "待办事项已无需处理（{code}）",
        "nothing is left to decide ({code})",
    ),
    "settlement.act-proposed.v1": (
        "{by}提出：{act}（{reason}）{why}",
        "{by} proposes {act} ({reason}) {why}",
    ),
    "settlement.act-approved.v1": ("{by}批准：{act} {why}", "{by} approves {act} {why}"),
    "settlement.act-rejected.v1": ("{by}退回：{act} {why}", "{by} rejects {act} {why}"),
    "settlement.act-refused.v1": (
        "{by}的操作未获执行：{code}",
        "what {by} asked for changes nothing: {code}",
    ),
}

ASKED = frozenset({"settlement.propose.v1", "settlement.approve.v1", "settlement.reject.v1"})
"""What a person asks for: the answer to it has the sentence."""
