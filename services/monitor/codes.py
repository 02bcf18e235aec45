"""What the monitor's interface refuses."""

CODES: dict[str, tuple[str, str]] = {
    "not_a_sandbox": (
        "只有沙箱环境可以设置业务时钟",
        "the business clock can be set in a sandbox only",
    ),
    "clock_goes_forward": (
        "业务时钟不能回拨",
        "the business clock never goes back",
    ),
    "clock_out_of_range": (
        "业务时钟只能设在2000年至2100年之间",
        "the business clock can be set to the years 2000 to 2100 only",
    ),
    "time_without_offset": ("时间须带时区偏移", "the time needs an offset"),
    "not_a_cursor": ("after 不是有效的游标", "`after` is no cursor of this log"),
    "not_your_clock": (
        "只有操作员可以设置业务时钟",
        "the business clock is an operator's to set",
    ),
    "unknown_transfer": ("没有这笔转移", "there is no such transfer"),
}
