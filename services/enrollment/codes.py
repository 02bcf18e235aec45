"""Every code that enrollment answers with, and its sentence in Chinese and English."""

CODES: dict[str, tuple[str, str]] = {
    # The file as a whole.
    "empty_file": ("文件为空", "the file is empty"),
    "binary_file": ("不是文本文件", "this is not a text file"),
    "missing_column": ("缺少必需的列", "a required column is missing"),
    "duplicate_column": ("同一列出现两次", "a column stands twice in the header"),
    "too_large": ("文件或请求过大", "the file or request is too large"),
    "not_json": ("不是有效的 JSON", "this is not valid JSON"),
    # A row that cannot be read.
    "line_too_long": ("行超过 64 KiB", "the line is longer than 64 KiB"),
    "bad_encoding": ("该行编码不是 UTF-8 或 GB18030", "the line is neither UTF-8 nor GB18030"),
    "unclosed_quote": ("引号未闭合", "a quotation mark is not closed"),
    "field_count": ("列数与表头不符", "the row has not as many fields as the header"),
    "repeated_header": ("表头重复出现", "the header stands here again"),
    "not_a_record": ("不是一条记录", "this is not a record"),
    # The form of a row.
    "missing_field": ("缺少必填项", "a required field is empty"),
    "control_character": ("含有控制字符", "a field contains a control character"),
    "bad_character": ("含有无效字符", "a field contains half of a character"),
    "too_long": ("字段过长", "a field is too long"),
    "unknown_action": ("未知的业务类型", "no action has this name"),
    "unknown_value": ("不是允许的取值", "not one of the values allowed here"),
    "bad_time": ("时间须为带时区的 ISO 8601 格式", "a time must be ISO 8601 with offset"),
    "bad_date": ("日期须为 YYYY-MM-DD", "a date must be YYYY-MM-DD"),
    "bad_month": ("月份须为 YYYY-MM", "a month must be YYYY-MM"),
    "bad_amount": ("金额须为最多两位小数的数字", "an amount has digits and at most two decimals"),
    "negative_amount": ("金额不能为负", "an amount cannot be negative"),
    "bad_year": ("年份无效", "this is not a year"),
    "bad_region": ("统筹区编码须为 6 位数字", "a region code has 6 digits"),
    "bad_name": ("姓名含有不允许的字符", "a name cannot contain these characters"),
    "bad_phone": ("电话号码无效", "this is not a phone number"),
    "unknown_region": ("该统筹区未接入", "this region has not joined"),
    "same_region": ("原参保地与现参保地相同", "the previous region is this region"),
    "future_date": ("日期晚于当前业务时间", "the date is later than the business clock"),
    "id_checksum": ("证件号码校验位错误", "the checksum of the ID number is wrong"),
    "id_length": ("证件号码长度错误", "the ID number has the wrong length"),
    "id_birth_date": ("证件号码中的出生日期无效", "the birth date in the ID number is not valid"),
    "id_type": ("未知的证件类型", "no ID type has this code"),
    "id_format": ("证件号码含有无效字符", "the ID number contains characters it cannot have"),
    "employer_checksum": (
        "统一社会信用代码错误",
        "the checksum of the unified social credit code is wrong",
    ),
    "other_cell": (
        "该统筹区由另一部署单元受理，请发往该单元",
        "another cell serves this region: send the record there",
    ),
    "not_your_source": ("无权代表该来源报送", "the token may not send for this source"),
    "not_your_region": ("无权办理该统筹区业务", "the token is not for this region"),
    "conflict": (
        "同一记录号已报送过不同内容",
        "this record was sent before with another content",
    ),
    "duplicate": ("该记录或申请已受理过", "this was taken before"),
    # What the rules decide about a record.
    "already_enrolled": ("已在该统筹区参保", "the person is enrolled here already"),
    "not_enrolled": ("未在该统筹区参保", "the person is not enrolled here"),
    "already_stopped": ("参保已停止", "the cover has stopped already"),
    "after_stop": ("该月晚于停保月", "the month is after the last month of cover"),
    "residence_permit_needed": (
        "非本地户籍人员须提供居住证或受理凭证",
        "people without local hukou need a residence permit or its acceptance slip",
    ),
    "not_offered": (
        "该统筹区不接受此类人员参加该险种",
        "the region does not offer this scheme to this kind of person",
    ),
    "retiree": ("退休人员不办理转移", "retirees do not transfer"),
    "origin_unknown": ("请说明原参保地", "say where the person was insured before"),
    "unknown_record": ("找不到所指的记录", "there is no such record of this person here"),
    "nothing_to_correct": ("更正内容为空", "no field says what is to be corrected"),
    "not_correctable": ("该内容不能更正", "this cannot be corrected"),
    "needs_two_people": (
        "记录已转出，须两人复核办理",
        "the record has been released: two people must act",
    ),
    "not_agreed": (
        "两人复核后维持原记录",
        "two people leave the record as it is",
    ),
    "no_account": ("没有个人账户", "there is no personal account"),
    "deceased": ("参保人已死亡", "the person has died"),
    # What the books refuse after the rules accepted it.
    "account_frozen": (
        "个人账户已冻结，不能支付",
        "The personal account is held",
    ),
    "insufficient_balance": (
        "个人账户余额不足",
        "the personal account does not hold that much",
    ),
    "refund_too_large": ("退回金额超过原支付金额", "more would come back than was paid"),
    # What an origin answers to a destination.
    "origin-not-stopped": ("原参保地尚未停保", "the cover at the origin has not stopped"),
    "in_arrears": ("原参保地有欠费", "contributions are due and unpaid at the origin"),
    "no_record_here": ("原参保地没有该险种的记录", "the origin has no record of this scheme"),
    "next_plan_year": (
        "居民医保当年不转移，可在下一年度办理",
        "resident cover does not move within the plan year",
    ),
    # What a clerk at the origin is answered.
    "unknown_release": ("没有这个转出申请", "there is no such request for a record"),
    "release_not_open": (
        "该申请未受理或已撤销",
        "the request was refused or has been taken back",
    ),
    "digest-mismatch": ("信息表校验不符", "the record is not as it was sent"),
    # What is answered to a question.
    "nothing_decided": (
        "没有可查看的决定",
        "nothing was decided about this that you may see",
    ),
}


def sentence(code: str, field: str = "") -> str:
    """The sentence of a code in both languages, with the field it is about."""
    zh, en = CODES[code]
    return f"{zh} / {en} ({field})" if field else f"{zh} / {en}"
