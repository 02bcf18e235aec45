"""The tables of a month: the cash-basis view and the report, with their headers."""

from collections.abc import Mapping
from typing import Any

from services.monitor.commands.sheets import Column, Row, Sheet

Told = Mapping[str, Any]

_REGION = Column("region", "统筹地区", "region")
_CORRIDOR = Column("corridor", "转出>转入", "corridor")
_AGES = ("0-15", "16-45", "46-90", ">90")


def _money(field: str, chinese: str, english: str) -> Column:
    return Column(field, chinese, english, "money")


def _count(field: str, chinese: str, english: str) -> Column:
    return Column(field, chinese, english, "count")


def statutory(told: Told) -> Sheet:
    """The cash-basis view as one table: sections, lines, amounts."""
    rows = [
        *(_line("收入 income", row) for row in told["income"]),
        *(_line("支出 expenditure", row) for row in told["expenditure"]),
        _named("暂收款 temporary receipts", "本期变动", "change", told["suspense"]["change"]),
        _named("暂付款 temporary payments", "本期变动", "change", told["unexplained"]["change"]),
        _named("银行存款 bank", "按科目合计", "by the lines", told["change"]),
        *(_named("银行存款 bank", row["account"], "opening", row["opening"])
          for row in told["banks"]),
        *(_named("银行存款 bank", row["account"], "closing", row["closing"])
          for row in told["banks"]),
        _named("银行存款 bank", "实际变动", "change", told["bank_change"]),
        *(_named("归集划转 sweeps", f"{row['from']} > {row['to']}", "", row["amount"])
          for row in told["sweeps"]),
        *(_named("备查：预划 advances (memorandum)", row["origin"], what, row[what])
          for row in told["memorandum"]["advances"]
          for what in ("opening", "credited", "settled", "closing")),
        _named("备查：个人账户计息 interest (memorandum)", "本期计入", "credited to persons",
               told["memorandum"]["interest"]),
    ]  # fmt: skip
    columns = (
        Column("section", "项目", "section"),
        Column("name", "科目", "line"),
        Column("name_en", "英文", "in English"),
        _money("amount", "金额", "amount"),
    )
    return Sheet("statutory", f"{told['region']} {told['month']}", columns, rows)


def _line(section: str, row: Row) -> Row:
    return _named(section, row["name"], row["name_en"], row["amount"])


def _named(section: str, name: str, name_en: str, amount: str) -> Row:
    return {"section": section, "name": name, "name_en": name_en, "amount": amount}


def report(told: Told) -> list[Sheet]:
    """The tables of the report."""
    return [
        _regions(told),
        _transfers(told),
        Sheet(
            "on-time",
            "按时率 on time",
            (
                _REGION,
                Column("step", "环节", "step"),
                _count("done", "办结数", "done"),
                _count("on_time", "按时数", "on time"),
                Column("rate", "按时率", "rate", "rate"),
            ),
            told["on_time"],
        ),
        Sheet(
            "ageing",
            "预划账龄 ageing",
            (
                _CORRIDOR,
                _count("count", "笔数", "advances"),
                _money("open", "未做实", "open"),
                *(_money(age, f"{age}工作日", "working days") for age in _AGES),
            ),
            [{**row, **row["ages"]} for row in told["ageing"]],
        ),
        _mirror(told),
        Sheet(
            "positions",
            "轧差头寸 positions",
            (_REGION, Column("window", "窗口", "window"), _money("balance", "头寸", "position")),
            told["positions"],
        ),
    ]


def _regions(told: Told) -> Sheet:
    columns = (
        _REGION,
        Column("name", "名称", "name"),
        Column("closed_text", "已结账", "closed"),
        _money("money_in", "转移收入", "money in"),
        _money("money_out", "转移支出", "money out"),
        _money("paid_to_persons", "支付个人", "paid to persons"),
        _money("interest", "账户计息", "interest credited"),
        _money("advanced", "本月预划", "advanced"),
        _money("made_real", "本月做实", "made real"),
        _money("received", "到账", "received"),
        _money("suspense", "暂收款余额", "in suspense"),
        _count("unmatched", "未匹配笔数", "unmatched"),
        _money("unmatched_amount", "未匹配金额", "unmatched amount"),
        _count("late_receipts", "逾期到账笔数", "late receipts"),
        _money("late_amount", "逾期到账金额", "late amount"),
        _count("late_entries", "顺延入账", "late entries"),
        _money("income_account", "收入户余额", "income account"),
        Column("warned", "提示", "warnings"),
    )
    rows = [
        {
            **row,
            "closed_text": "是 yes" if row["closed"] else "否 no",
            "warned": "; ".join(row["warnings"]),
        }
        for row in told["regions"]
    ]
    return Sheet("regions", "资金 money", columns, rows)


def _transfers(told: Told) -> Sheet:
    columns = (
        _REGION,
        Column("direction", "方向", "direction"),
        Column("pair", "险种", "scheme pair"),
        _count("count", "件数", "transfers"),
        _count("out_of_province", "其中跨省", "out of province"),
    )
    rows: list[Row] = []
    for region in told["transfers"]:
        for way, name in (("in", "转入 in"), ("out", "转出 out")):
            counts = region[way]
            known = {"region": region["region"], "direction": name}
            across = counts["out_of_province"]
            rows.append(
                {**known, "pair": "合计 all", "count": counts["total"], "out_of_province": across}
            )
            rows += (
                {**known, "pair": pair, "count": n} for pair, n in sorted(counts["pairs"].items())
            )
    return Sheet("transfers", "业务 transfers", columns, rows)


def _mirror(told: Told) -> Sheet:
    columns = (
        _CORRIDOR,
        Column("day", "核对日", "compared on", "date"),
        _money("origin_owes", "转出地应付", "origin owes"),
        _money("destination_claims", "转入地应收", "destination claims"),
        Column("why", "已说明差异", "explained"),
        _money("unexplained", "未说明差异", "unexplained"),
        Column("since", "起始日", "since", "date"),
        _count("age_days", "天数", "days"),
    )
    rows = [
        {**row, "why": "; ".join(f"{why} {fen}" for why, fen in row["explained"].items())}
        for row in told["mirror"]
    ]
    return Sheet("mirror", "对账 mirror", columns, rows)
