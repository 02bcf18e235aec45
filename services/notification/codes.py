"""Why a letter was not delivered, and what the interface refuses."""

CODES: dict[str, tuple[str, str]] = {
    "no-recipient": (
        "没有收件人的联系方式",
        "there is nobody to send it to: no contact is known, or it was erased",
    ),
    "channel-refused": ("渠道拒绝发送", "the channel refused the letter"),
    "gave-up": ("多次尝试后仍未送达", "not delivered after all attempts"),
    "no-words": ("本版本没有该通知的文本", "this version has no words for the letter"),
    "nothing-asked": ("请提供 transfer 或 person_key", "name a transfer or a person_key"),
}
