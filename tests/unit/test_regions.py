"""The shipped region files, and what loading refuses."""

from datetime import date
from pathlib import Path

import pytest

from shared.regions import Region, RegionError, Regions, load, parse

FOLDER = Path(__file__).parents[2] / "deploy" / "regions"
SHIPPED = load(FOLDER)
DAY = date(2026, 3, 2)
CODES = ["130100", "130600", "340100", "410100", "450100", "450300"]
NANNING = (FOLDER / "450100.toml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> Region:
    """Nanning's file with one text in another's place."""
    assert old in NANNING
    return parse(NANNING.replace(old, new).encode(), "450100.toml")


def test_all_six_regions_are_shipped() -> None:
    assert [region.code for region in SHIPPED.all] == CODES
    assert [region.name for region in SHIPPED.all] == [
        "石家庄市", "保定市", "合肥市", "郑州市", "南宁市", "桂林市",
    ]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_a_file_bears_the_code_of_its_region(code: str) -> None:
    assert parse((FOLDER / f"{code}.toml").read_bytes(), code).code == code


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_a_source_and_shows_in_the_facts(code: str) -> None:
    policy = SHIPPED.at(code, DAY)

    assert policy.version.startswith(f"{code}@20")
    assert all(fact.name and fact.value and fact.source for fact in policy.facts)
    assert len(policy.facts) > 40


def test_an_unknown_region_is_none_and_has_no_policy() -> None:
    assert SHIPPED.get("999999") is None
    with pytest.raises(KeyError):
        SHIPPED.at("999999", DAY)
    with pytest.raises(KeyError):
        SHIPPED.corridor("999999", "450100", DAY)


LATER = """
[[waiting]]
from = 2027-07-01
gap_months = 2
wait_months = 6
scheme_switch_needs_consecutive_months = 24
source = "a later document"
"""


def test_a_later_row_holds_from_its_day() -> None:
    regions = Regions([parse((NANNING + LATER).encode(), "450100.toml")])

    before, after = (regions.at("450100", date(2027, m, d)) for m, d in ((6, 30), (7, 1)))

    assert (before.waiting.wait_months, after.waiting.wait_months) == (3, 6)
    assert (before.version, after.version) == ("450100@2026-04-01", "450100@2027-07-01")
    assert regions.by_version(before.version) is before


def test_the_oldest_row_holds_for_everything_before() -> None:
    assert SHIPPED.at("450100", date(1999, 1, 1)).waiting.wait_months == 3
    assert SHIPPED.corridor("410100", "450100", date(1999, 1, 1)).automatic("310>310")


def test_days_between_two_changes_share_one_policy() -> None:
    assert SHIPPED.at("450100", date(2026, 4, 1)) is SHIPPED.at("450100", date(2026, 12, 31))
    one, other = (SHIPPED.corridor("410100", "450100", date(2026, 3, n)) for n in (2, 9))
    assert one is other


def test_who_answers_by_hand_takes_three_working_days_unless_the_file_says_otherwise() -> None:
    by_hand = 'answer = "manual"'
    slower = f"{by_hand}\nhandling_working_days = 7"
    texts = (by_hand, slower)
    regions = [Regions([changed('answer = "automatic"', text)]) for text in texts]

    assert [r.at("450100", DAY).release.handled_within for r in regions] == [3, 7]
    shown = [{f.name: f.value for f in r.at("450100", DAY).facts_about("release")} for r in regions]
    assert [facts.get("release: handling_working_days") for facts in shown] == [None, "7"]


def test_a_machine_takes_no_working_days() -> None:
    with pytest.raises(RegionError, match="handling_working_days"):
        changed('answer = "automatic"', 'answer = "automatic"\nhandling_working_days = 3')


def test_a_limit_of_its_own_replaces_the_one_for_all_origins() -> None:
    own = (
        '[[limit]]\nfrom = 2025-01-01\norigin = "410100"\n'
        'open = "100.00"\nsingle = "10.00"\nsource = "a test"\n'
    )
    policy = Regions([parse((NANNING + own).encode(), "450100.toml")]).at("450100", DAY)

    assert policy.limit("410100").open_fen == 10_000
    assert policy.limit("340100").open_fen == 5_000_000_000


def test_a_regions_own_holidays_are_in_its_calendar() -> None:
    own = changed("[[waiting]]", '[working_days]\n"2026-04-20" = false\n\n[[waiting]]')
    regions = Regions([own])

    assert not regions.calendar("450100").is_working_day(date(2026, 4, 20))
    assert SHIPPED.calendar("450100").is_working_day(date(2026, 4, 20))


def test_a_bank_account_tells_its_region_and_kind() -> None:
    for region in SHIPPED.all:
        assert SHIPPED.by_account(region.bank.income_account) == (region, "income")
        assert SHIPPED.by_account(region.bank.expense_account) == (region, "expense")
        assert SHIPPED.by_account(region.bank.fiscal_account) == (region, "fiscal")
    assert SHIPPED.by_account("6222020000000000000") is None


@pytest.mark.parametrize(
    ("name", "account", "code"),
    [
        ("whoever", "4501010104000045102", "450100"),
        ("郑州市医疗保障中心", "4501010104000045102", "450100"),  # the account is stronger
        ("郑州市医疗保障中心", "6222020000000000000", "410100"),
        ("南宁市社会医疗保险基金", None, "450100"),
        ("桂林市 医疗保障事业管理中心", None, "450300"),
        ("南宁市社保中心", None, "450100"),
        ("石家庄医保", "", "130100"),
        ("广西壮族自治区社会保险事业局", None, None),
        ("河南郑州市医保", None, None),
        ("", None, None),
    ],
)
def test_a_payer_is_known_by_account_then_name(
    name: str, account: str | None, code: str | None
) -> None:
    region = SHIPPED.payer(name, account)

    assert (region and region.code) == code


def test_a_name_that_two_regions_begin_is_nobodys() -> None:
    longer = NANNING.replace('"南宁市"', '"南宁北市"').replace("450100", "450199")
    longer = longer.replace("南宁市", "南宁北市").replace("4501010104", "4501990104")
    regions = Regions([parse(NANNING.encode(), "a"), parse(longer.encode(), "b")])

    assert regions.payer("南宁北市医保局") is None
    assert regions.payer("南宁市医保局") == regions.get("450100")


def test_a_province_has_a_bank_and_is_no_region() -> None:
    [guangxi] = SHIPPED.provinces

    assert SHIPPED.get("450000") is None
    assert SHIPPED.by_account(guangxi.bank.expense_account) == (guangxi, "expense")
    assert SHIPPED.payer("广西壮族自治区医疗保障清算资金") == guangxi
    assert guangxi.netting_on(date(2020, 1, 1)) == guangxi.netting_on(date(2026, 4, 1))
    with pytest.raises(RegionError, match="a province, where a region is wanted"):
        parse((FOLDER / "450000.toml").read_bytes(), "450000.toml")


FORMER = """
[[bank.former]]
until = 2026-03-31
income_account = "4501010104000045201"
source = "notice of the bank"

[[bank.former]]
until = 2025-12-31
income_account = "4501010104000045200"
expense_account = "4501010104000045202"
source = "notice of the bank"

[[enrollment]]"""


def test_an_account_that_changed_is_known_by_its_days() -> None:
    nanning = parse(NANNING.replace("[[enrollment]]", FORMER, 1).encode(), "450100.toml")
    regions, bank = Regions([nanning]), nanning.bank

    assert [bank.account_on("income", day)[-3:] for day in (
        date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1),
    )] == ["200", "201", "201", "101"]  # fmt: skip
    assert bank.account_on("expense", date(2026, 1, 1)) == bank.expense_account
    assert [regions.account_number(account) for account in bank.accounts("income")] == [0, 1, 2]
    for account in bank.accounts("income"):
        assert regions.by_account(account) == (nanning, "income")


def test_a_former_account_that_another_has_is_refused(tmp_path: Path) -> None:
    guilin = (FOLDER / "450300.toml").read_text("utf-8")
    theirs = parse(guilin.encode(), "450300.toml").bank.income_account
    former = FORMER.replace("4501010104000045201", theirs)
    text = NANNING.replace("[[enrollment]]", former, 1)
    (tmp_path / "450100.toml").write_text(text, "utf-8")
    (tmp_path / "450300.toml").write_text(guilin, "utf-8")

    with pytest.raises(RegionError) as refused:
        load(tmp_path)
    assert "bank account" in str(refused.value)


def test_all_provinces_are_in_one_cell_unless_told_otherwise() -> None:
    assert SHIPPED.cell("450000") == "cn"
    assert load(FOLDER, {"450000": "gx"}).cell("450000") == "gx"
    assert load(FOLDER, {"450000": "gx"}).cell("410000") == "cn"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name_en = "Nanning"', "", "name_en: Field required"),
        ('bank_code = "102611000051"', 'bank_code = "1026"', "bank.bank_code: "),
        ('income_account = "4501010104000045101"', "", "bank.income_account: Field required"),
        ("wait_months = 3", "wait_months = 7", "waiting.0.wait_months: "),
        ("wait_months = 3", "wait_month = 3", "waiting.0.wait_month: Extra inputs"),
        ('open = "50000000.00"', "open = 50000000.00", "limit.0.open: "),
        ('open = "50000000.00"', 'open = "1e5"', "limit.0.open: "),
        ('mode = "netting"', 'mode = "barter"', "settlement.1.mode: "),
        ('distances = ["cross-province"]', 'distances = ["in-province"]', "two rows for"),
        ('pairs = ["310>390", "390>310", "390>390"]', 'pairs = ["310>390"]', "no row for"),
        ('origin = "*"', 'origin = "410100"', "limit: no row"),
        (
            'distances = ["in-province", "cross-province"]\nmode',
            "distances = []\nmode",
            "no row for",
        ),
        ("from = 2026-04-01", 'from = "soon"', "settlement.1.from: "),
        ('code = "450100"', "code = 450100 !", "not a TOML file"),
    ],
)
def test_a_broken_file_is_refused_with_file_and_field(old: str, new: str, said: str) -> None:
    with pytest.raises(RegionError) as refused:
        changed(old, new)

    assert str(refused.value).startswith("450100.toml: ")
    assert said in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(RegionError) as refused:
        parse(
            NANNING.replace("wait_months = 3", "wait_months = 9").replace("Nanning", "").encode(),
            "x",
        )

    assert len(str(refused.value).splitlines()) == 2


def test_a_file_with_a_byte_order_mark_is_read() -> None:
    assert parse(b"\xef\xbb\xbf" + NANNING.encode(), "x").code == "450100"


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(RegionError, match="UTF-8"):
        parse(NANNING.encode("gb18030"), "450100.toml")


def test_two_files_of_one_region_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(NANNING, encoding="utf-8")

    with pytest.raises(RegionError, match=r"b\.toml: code 450100 is already in a\.toml"):
        load(tmp_path)


def test_an_account_used_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        NANNING.replace("4501010104000045102", "4501010104000045101"), encoding="utf-8"
    )

    with pytest.raises(RegionError, match="bank account 4501010104000045101 is already in"):
        load(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="no region file"):
        load(tmp_path)


def test_adding_a_region_is_adding_a_file(tmp_path: Path) -> None:
    for path in FOLDER.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    liuzhou = NANNING.replace("450100", "450200").replace("南宁", "柳州")
    liuzhou = liuzhou.replace("Nanning", "Liuzhou").replace("4501010104", "4502010104")
    (tmp_path / "450200.toml").write_text(liuzhou, encoding="utf-8")

    regions = load(tmp_path)

    assert regions.corridor("450100", "450200", DAY).automatic("310>310")
    assert regions.payer("柳州市医保中心") == regions.get("450200")
