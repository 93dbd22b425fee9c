"""A shop's files are read whole, or refused with the file and the key."""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import BENCH, ConfigError, load_settings
from config.loader import FOLDER, read_table
from config.schema import CAKeysFile, CurrenciesFile, Devices, ShopFile

Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Copies of the bench shop's files, one of them with a piece replaced."""

    def edit(name: str, old: str, new: str) -> Path:
        for source in FOLDER.glob("*.toml"):
            text = source.read_text()
            if source.name == name:
                assert old in text
                text = text.replace(old, new, 1)
            (tmp_path / source.name).write_text(text)
        return tmp_path / BENCH.name

    return edit


def test_the_bench_shop_loads() -> None:
    loaded = load_settings()

    assert loaded.shop.mode == "bench"
    assert loaded.currency.letters == "CNY"
    assert loaded.currency.numeric == 156
    assert loaded.currencies["KWD"].digits == 3
    assert bytes(loaded.applications[0].aid) == bytes.fromhex("A0000000031010")
    assert loaded.payment_codes[0].wallet == "alipay"


ONE_COLLECTION = ("A000000333", "A000000065")
"""Schemes whose keys only one of the collections has."""
TWO_UNDER_ONE_NAME = ("A000000004", "06")
"""The other collection has a 2048-bit key under this name, which no card certificate fits."""


@pytest.mark.parametrize("name", ["ca_keys.toml", "ca_keys_test.toml"])
def test_scheme_keys_agree_with_public_collections(shared: Path, name: str) -> None:
    """With both, but for those named above; and always with the scheme's own check sum."""
    collections = []
    for collection in ("capk_emvutils.json", "capk_test_and_live.json"):
        entries = json.loads((shared / "vectors/emv" / collection).read_text())["keys"]
        collections.append({(one["rid"], one["index"]): one for one in entries})
    keys = read_table(FOLDER / name, CAKeysFile).ca_keys
    assert keys
    for key in keys:
        named = key.rid.hex().upper(), f"{key.index:02X}"
        found = [known[named] for known in collections if named in known]
        agreeing = [
            theirs
            for theirs in found
            if key.modulus == bytes.fromhex(theirs["modulus"])
            and key.sha1 == bytes.fromhex(theirs["hash_sha1"])
            and key.exponent == int(theirs["exponent"], 16)
            and theirs["hash_verified"]
        ]
        is_alone = named[0] in ONE_COLLECTION or named == TWO_UNDER_ONE_NAME
        assert len(agreeing) == (1 if is_alone else 2), named
        assert key.test == (name == "ca_keys_test.toml")


def test_test_keys_are_not_among_those_a_shop_gets_unasked() -> None:
    assert not any(key.test for key in load_settings().ca_keys)


def test_further_ca_keys_are_added() -> None:
    loaded = load_settings(more_ca_keys=[FOLDER / "ca_keys_test.toml"])

    assert [key.name for key in loaded.ca_keys if key.test] == [
        "A000000003 index 92",
        "A000000003 index 94",
        "A000000003 index 95",
        "A000000003 index 99",
    ]


def test_a_ca_key_is_not_read_twice() -> None:
    with pytest.raises(ConfigError, match=r"A000000003 index 07 stands twice"):
        load_settings(more_ca_keys=[FOLDER / "ca_keys.toml"])


def test_every_currency_agrees_with_iso_4217() -> None:
    """A sample by hand from the published list, with every odd number of digits."""
    table = read_table(FOLDER / "currencies.toml", CurrenciesFile).currencies
    sample = {
        "AED": (784, 2), "ALL": (8, 2), "BHD": (48, 3), "CLP": (152, 0), "CNY": (156, 2),
        "EUR": (978, 2), "GBP": (826, 2), "HKD": (344, 2), "IDR": (360, 2), "IQD": (368, 3),
        "ISK": (352, 0), "JOD": (400, 3), "JPY": (392, 0), "KRW": (410, 0), "KWD": (414, 3),
        "LYD": (434, 3), "MOP": (446, 2), "OMR": (512, 3), "SGD": (702, 2), "THB": (764, 2),
        "TND": (788, 3), "TWD": (901, 2), "UGX": (800, 0), "USD": (840, 2), "VND": (704, 0),
        "XAF": (950, 0), "XOF": (952, 0), "XPF": (953, 0), "ZAR": (710, 2),
    }  # fmt: skip
    assert {c: (table[c].numeric, table[c].digits) for c in sample} == sample
    odd = {letters for letters, currency in table.items() if currency.digits != 2}
    assert odd == {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND",
        "VUV", "XAF", "XOF", "XPF", "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("bench.toml", "answer_s = 30", "answr_s = 30", "bank.answr_s: unknown key"),
        ("bench.toml", "answer_s = 30", 'answer_s = "30"', "bank.answer_s: expected float"),
        ("bench.toml", "answer_s = 30", "answer_s = 0", "bank.answer_s: expected float > 0"),
        ("bench.toml", "answer_s = 30", "answer_s = nan", "bank.answer_s: expected float"),
        ("bench.toml", "answer_s = 30", "answer_s = inf", "bank.answer_s: expected float <= 120"),
        ("bench.toml", "[[devices.scanners]]", "[[devices.scaners]]", "devices.scaners: unknown"),
        ("bench.toml", 'mode = "bench"', 'mode = "Live"', "shop.mode: invalid enum value 'Live'"),
        ("bench.toml", 'mode = "bench"', "", "shop.mode: missing"),
        ("bench.toml", 'currency = "CNY"', 'currency = "RMB"', "shop.currency: RMB is not in"),
        ("bench.toml", "https://", "http://", "bank.url: expected str matching"),
        ("bench.toml", ":8443", ":8443/v1", "bank.url: expected str matching"),
        ("bench.toml", "Counter camera", "Counter reader", "two are called Counter reader"),
        ("bench.toml", "898310154110001", "89831015411000", "shop.merchant_id: expected str"),
        ("bench.toml", "898310154110001", "898310154110001\\n", "shop.merchant_id: expected"),
        ("bench.toml", "amount_max_minor = 10_000_000", "amount_max_minor = 0", "amount_max_minor"),
        ("bench.toml", "amount_max_minor = 10_000_000", "amount_max_minor = 1.5", "got float"),
        ("bench.toml", "[shop]", "[shop]\nname = 1", "broken TOML"),
        ("bench.toml", "[bank]", "[bank\n", "(at line 23, column 6)"),
        ("bench.toml", 'ca_keys = ["ca_keys.toml"]', 'ca_keys = "x"', "files.ca_keys: expected"),
        ("bench.toml", '["ca_keys.toml"]', '["none.toml"]', "none.toml: cannot be read"),
        ("applications.toml", "A0000000032010", "A0000000031010", "stands twice"),
        ("applications.toml", "A0000000032010", "A00000", "applications[1].aid: 3 bytes"),
        ("applications.toml", "A0000000032010", "A00000000320ZZ", "applications[1].aid: must be"),
        ("applications.toml", "22004080", "220040", "applications[0].ttq: 3 bytes, must be 4"),
        ("applications.toml", 'ttq = "22004080"', "", "applications[0].ttq: missing"),
        (
            "applications.toml",
            'denial = "0000000000"',
            'denial = "00000000"',
            "applications[3].action_codes.denial: 4 bytes, must be 5",
        ),
        ("applications.toml", "kernel = 2", 'kernel = 3\nttq = "22004080"', "kernel_2: not for it"),
        ("applications.toml", "kernel = 3", "kernel = 4", "action_codes: missing, and kernel 4"),
        ("bench_applications.toml", "kernel = 8", "kernel = 4", "kernel_8: not for it"),
        ("bench.toml", '"0123456789ABCDEF"', '"01"', "data_storage.right: 1 bytes, must be 8"),
        ("bench.toml", '["bench_app', '["app', "AID A0000000031010 for kernel 3 stands twice"),
        ("applications.toml", '"4F50454E54494C4C"', '""', "limit_sets[0].program: 0 bytes"),
        ("applications.toml", "kernel = 7", "kernel = 3", "electronic_cash: not for it"),
        ("applications.toml", "balance = true", "balanc = true", "kernel_2.balanc: unknown key"),
        (
            "applications.toml",
            "[applications.chip]\n",
            "[applications.chip]\nrandom_threshold_minor = 20_001\n",
            "applications[0].chip: random_threshold_minor is above the floor limit, 20000",
        ),
        (
            "applications.toml",
            "[applications.chip]\n",
            "[applications.chip]\nrandom_percent = 5\n",
            "applications[0].chip.random_percent: above random_percent_max, 0",
        ),
        (
            "applications.toml",
            "[applications.chip]\n",
            '[applications.chip]\nversion = "8C"\n',
            "applications[0].chip.version: 1 bytes, must be 2",
        ),
        ("applications.toml", "20_000", "-1", "applications[0].floor_limit_minor: expected int"),
        ("ca_keys.toml", "A89F25", "A89F26", "A000000003 index 07: sha1 does not match"),
        ("ca_keys.toml", "A89F25", "009F25", "ca_keys[0].modulus: its first bit is zero"),
        ("ca_keys.toml", "A89F25", "A89F" + "25" * 200, "ca_keys[0].modulus: 343 bytes"),
        ("ca_keys.toml", '"A000000003"', '"A0000000"', "ca_keys[0].rid: 4 bytes, must be 5"),
        ("ca_keys.toml", "B4BC56", "B4BC", "ca_keys[0].sha1: 19 bytes, must be 20"),
        ("ca_keys.toml", "2017-12-31", "2017-13-31", "broken TOML"),
        ("ca_keys.toml", "2017-12-31", '"2017"', "ca_keys[0].expires: invalid"),
        ("ca_keys.toml", "exponent = 3", "exponent = 5", "ca_keys[0].exponent"),
        ("ca_keys.toml", "index = 0x08", "index = 0x07", "A000000003 index 07"),
        ("currencies.toml", "numeric = 784", "numeric = 971", "numeric 971 stands twice"),
        ("payment_codes.toml", "[16, 24]", "[24, 16]", "payment_codes[0].lengths: 24 is more"),
        ("payment_codes.toml", '"28"]', '"2x"]', "payment_codes[1].prefixes[0]: expected str"),
        ("payment_codes.toml", '["62"]', '["25"]', "cannot be told from it"),
        ("payment_codes.toml", '"code128"]', '"code39"]', "payment_codes[0].symbologies"),
        ("bench_exceptions.toml", "4000000000009987", "4x", "exceptions[0].pan: expected str"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(edited: Edit, name: str, old: str, new: str, says: str) -> None:
    shop = edited(name, old, new)

    with pytest.raises(ConfigError) as refusal:
        load_settings(shop)

    assert says in str(refusal.value)
    assert ".toml" in str(refusal.value)


def test_two_wallets_may_share_a_beginning_if_their_lengths_differ(edited: Edit) -> None:
    shop = edited("payment_codes.toml", '"15"]', '"15", "62"]')

    assert load_settings(shop).payment_codes


def test_broken_toml_is_shown_by_its_line(tmp_path: Path) -> None:
    shop = tmp_path / "shop.toml"
    shop.write_text('[shop]\nname = "x"\nname_zh = x\n')

    with pytest.raises(ConfigError, match=r"shop\.toml: broken TOML: .*line 3"):
        load_settings(shop)


def test_text_that_is_not_utf_8_is_shown_by_its_line(tmp_path: Path) -> None:
    shop = tmp_path / "shop.toml"
    shop.write_bytes('[shop]\nname = "小店"\n'.encode("gb18030"))

    with pytest.raises(ConfigError, match=r"shop\.toml: line 2: not UTF-8"):
        load_settings(shop)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_settings(tmp_path / "nowhere.toml")


def test_a_card_number_of_the_exception_list_is_in_no_error(edited: Edit) -> None:
    shop = edited("bench_exceptions.toml", '"4000000000009987"', '"4000000000009987 "')

    with pytest.raises(ConfigError) as refusal:
        load_settings(shop)

    assert not re.search(r"\d{12}", str(refusal.value))
    assert "4000000000009987" not in repr(load_settings())


def test_a_live_shop_keeps_no_card_numbers_in_plain_text() -> None:
    with pytest.raises(ConfigError, match=r"files\.exceptions: a live shop keeps no card numbers"):
        load_settings(overrides={"shop.mode": "live"})


def test_overrides_are_checked_like_the_file() -> None:
    loaded = load_settings(overrides={"bank.url": "https://127.0.0.1:4711"})
    assert loaded.bank.url == "https://127.0.0.1:4711"

    with pytest.raises(ConfigError, match=r"bank\.uri: unknown key"):
        load_settings(overrides={"bank.uri": "https://127.0.0.1:4711"})
    with pytest.raises(ConfigError, match=r"shop\.name\.x: name is not a table"):
        load_settings(overrides={"shop.name.x": 1})


def test_a_shop_alone_in_a_folder_gets_the_tables_that_come_with_the_till(tmp_path: Path) -> None:
    shop = tmp_path / "shop.toml"
    shop.write_text(re.sub(r"(?s)\[files\].*", "", BENCH.read_text()))

    loaded = load_settings(shop)

    assert loaded.currency.symbol == "¥"
    assert loaded.exceptions == ()


def test_a_real_shop_accepts_no_names_of_simulated_cards() -> None:
    """No scheme's name begins with F. Source: ISO/IEC 7816-4, 12.3.4."""
    live = load_settings(FOLDER / "live.example.toml")

    assert {one.aid[:1] for one in live.applications} == {b"\xa0"}
    assert {one.kernel for one in load_settings().applications} - {
        one.kernel for one in live.applications
    } == {8}


def test_a_table_beside_the_shop_wins(edited: Edit) -> None:
    shop = edited("applications.toml", 'label = "Visa"', 'label = "Our own"')

    assert load_settings(shop).applications[0].label == "Our own"


def test_an_ecc_key_has_a_name_of_its_own_and_whole_coordinates(tmp_path: Path) -> None:
    key = f'[[ec_keys]]\nrid = "A000000003"\nindex = 1\nx = "{"11" * 32}"\ny = "{"22" * 32}"\n'
    path = tmp_path / "ec.toml"

    path.write_text(key)
    assert [one.name for one in load_settings(more_ca_keys=[path]).ec_keys] == [
        "A000000003 index 01"
    ]
    path.write_text(key + key)
    with pytest.raises(ConfigError, match="ec_keys: A000000003 index 01 stands twice"):
        load_settings(more_ca_keys=[path])
    path.write_text(key.replace("11" * 32, "11" * 31))
    with pytest.raises(ConfigError, match="x: 31 bytes, must be 32"):
        load_settings(more_ca_keys=[path])


def test_check_values_of_ca_keys_are_computed_apart() -> None:
    """The hash of one key, put together by hand."""
    key = next(key for key in load_settings().ca_keys if key.index == 9)

    assert hashlib.sha1(b"\xa0\0\0\0\3\x09" + key.modulus + b"\x03").digest() == key.sha1


TOML_KEYS = st.sampled_from(
    ["shop", "bank", "devices", "files", "name", "readers", "url", "mode", "x"]
)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=8), st.floats(), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TOML_KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=80), st.text(alphabet='[]="shopbankx.\n#1', max_size=80).map(str.encode)
    )
)
def test_any_file_loads_or_is_refused(tmp_path: Path, noise: bytes) -> None:
    """Nothing but the declared error comes out of any bytes."""
    shop = tmp_path / "shop.toml"
    shop.write_bytes(noise)
    with pytest.raises(ConfigError):
        load_settings(shop)


@settings(max_examples=100)
@given(st.sampled_from(["shop", "bank", "devices", "files"]), VALUES)
def test_any_value_in_place_of_a_table_is_refused_or_fits(table: str, value: object) -> None:
    """An odd value anywhere gives the declared error or settings that hold."""
    try:
        loaded = load_settings(overrides={table: value})
    except ConfigError:
        return
    assert loaded.currency.letters == loaded.shop.currency


def test_every_key_of_the_bench_shop_is_known_to_the_schema() -> None:
    tree = tomllib.loads(BENCH.read_text())
    assert set(tree) == set(ShopFile.__struct_fields__)


def test_the_example_of_a_live_shop_loads_without_test_keys() -> None:
    loaded = load_settings(FOLDER / "live.example.toml")

    assert loaded.shop.mode == "live"
    assert not any(key.test for key in loaded.ca_keys)
    assert loaded.devices.scanners[0].options == {"source": 0}


def test_the_example_shows_each_kind_of_device(tmp_path: Path) -> None:
    """What stands behind marks there loads once the marks are taken away."""
    example = (FOLDER / "live.example.toml").read_text()
    shop = tmp_path / "shop.toml"
    shop.write_text(re.sub(r"^# (?=\[|\w+ = )", "", example, flags=re.MULTILINE))
    devices = load_settings(shop).devices

    for role in Devices.__struct_fields__:
        assert getattr(devices, role), role
    assert len(devices.everything()) == 6


@pytest.mark.parametrize("role", ["scanners", "printers", "displays", "pin_pads"])
def test_two_devices_of_any_role_have_two_names(role: str) -> None:
    twin = {"name": "Counter reader", "driver": "other"}
    with pytest.raises(ConfigError, match="devices: two are called Counter reader"):
        load_settings(overrides={f"devices.{role}": [twin]})


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ('time_zone = "Europe/Nowhere"', "shop.time_zone: this machine knows no Europe/Nowhere"),
        ('time_zone = "../../etc/passwd"', "shop.time_zone"),
        ('day_ends_at = "24:00"', "shop.day_ends_at"),
        ('day_ends_at = "4:00"', "shop.day_ends_at"),
    ],
)
def test_a_shops_calendar_is_checked(edited: Edit, keys: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(fault)):
        load_settings(edited("bench.toml", 'day_ends_at = "04:00"', keys))


def test_a_shop_may_be_anywhere_and_end_its_day_at_any_minute(edited: Edit) -> None:
    keys = 'time_zone = "Asia/Shanghai"\nday_ends_at = "04:30"'
    shop = load_settings(edited("bench.toml", 'day_ends_at = "04:00"', keys)).shop
    assert (shop.time_zone, shop.day_ends_at) == ("Asia/Shanghai", "04:30")
