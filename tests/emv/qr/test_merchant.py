"""Merchant-presented codes: cases from outside, then properties."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emv.errors import MalformedData
from emv.qr.merchant import Field, Language, Tip, build, checksum, encode, parse, template


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "vectors/qr/qr_mpm.json").read_text())
    return loaded


def as_fields(tree: list[dict[str, Any]]) -> list[tuple[str, str, list[Any]]]:
    return [(node["id"], node["value"], as_fields(node.get("fields", []))) for node in tree]


def shape(fields: tuple[Field, ...]) -> list[tuple[str, str, list[Any]]]:
    return [(field.id, field.value, shape(field.fields)) for field in fields]


def test_published_checksums_come_out(cases: dict[str, Any]) -> None:
    assert len(cases["crc16"]) > 10
    for text, expected in cases["crc16"].items():
        assert checksum(text) == expected


def test_codes_of_others_are_read_or_refused_as_they_say(cases: dict[str, Any]) -> None:
    read = 0
    for case in cases["vectors"]:
        if not case["valid"]:
            with pytest.raises(MalformedData):
                parse(case["payload"])
            continue
        code = parse(case["payload"])
        assert shape(code.fields) == as_fields(case["fields"]), case["name"]
        read += 1
    assert read > 12


def test_a_code_that_was_read_is_written_back_to_the_letter(cases: dict[str, Any]) -> None:
    for case in cases["vectors"]:
        if case["valid"]:
            assert encode(parse(case["payload"]).fields[:-1]) == case["payload"], case["name"]


def test_a_stale_checksum_is_the_one_we_compute(cases: dict[str, Any]) -> None:
    stale = [case for case in cases["vectors"] if "expect_crc" in case]
    assert stale
    for case in stale:
        assert checksum(case["payload"][:-4]) == case["expect_crc"]


def test_codes_that_others_built_come_out_the_same(cases: dict[str, Any]) -> None:
    """PromptPay: a phone number, a national id, an amount."""
    targets = {
        "0801234567": ("01", "0066801234567"),
        "1-1111-11111-11-1": ("02", "1111111111111"),
        "000-000-0000": ("01", "0066000000000"),
    }
    assert len(cases["build"]) == len(targets)
    for case in cases["build"]:
        inner, target = targets[case["inputs"]["target"]]
        amount = case["inputs"]["amount"]
        fields = [
            Field("00", "01"),
            Field("01", "11" if amount is None else "12"),
            template("29", {"00": "A000000677010111", inner: target}),
            Field("58", "TH"),
            Field("53", "764"),
        ]
        if amount is not None:
            fields.append(Field("54", f"{amount:.2f}"))
        assert encode(fields) == case["payload"]


def test_the_specification_example_has_no_fault(cases: dict[str, Any]) -> None:
    example = next(case for case in cases["vectors"] if case["name"] == "emvco-spec-example")
    code = parse(example["payload"])

    assert code.faults() == ()
    assert code.is_dynamic
    assert [account.id for account in code.accounts] == ["29", "31"]
    language = code.field("64")
    assert language is not None
    assert language.value_of("01") == "最佳运输"


def test_domestic_codes_are_read_and_their_faults_named(cases: dict[str, Any]) -> None:
    by_name = {case["name"]: parse(case["payload"]) for case in cases["vectors"] if case["valid"]}

    assert set(by_name["pp-phone"].faults()) == {"52: missing", "59: missing", "60: missing"}
    assert by_name["duitnow-paynet"].faults() == ("00: must be '01'",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin with field 00"),
        ("000201", "does not end with field 63"),
        ("0002016304", "/63 at character 6: 4 characters announced, 0 left"),
        ("00020163046305", "CRC does not match"),
        ("0002016304ZZZZ", "not four hexadecimal digits"),
        ("00020163061FCD1F", "not four hexadecimal digits"),
        ("000201000201", "/00 at character 6: stands twice"),
        ("0002016", "at character 6: no id and length"),
        ("00０２01", "at character 0: no id and length"),
        ("00 201", "at character 0: no id and length"),
        ("00-101", "at character 0: no id and length"),
        ("x" * 4001, "more than any QR code holds"),
    ],
)
def test_a_damaged_code_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(MalformedData) as refusal:
        parse(text)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("field", "says"),
    [
        (Field("26", "0105abcde"), "/26: no field 00 that names the scheme"),
        (Field("80", ""), "/80: no field 00 that names the scheme"),
        (Field("26", "0099"), "/26/00 at character 10: 99 characters announced, 0 left"),
        (Field("62", "01020"), "/62/01 at character 10: 2 characters announced, 1 left"),
        (Field("62", "01011"), ""),
    ],
)
def test_a_template_must_hold_fields(field: Field, says: str) -> None:
    text = encode([Field("00", "01"), field])
    if not says:
        assert parse(text).fields[1].fields == (Field("01", "1"),)
        return
    with pytest.raises(MalformedData) as refusal:
        parse(text)
    assert says in str(refusal.value)


def test_lengths_count_characters_and_the_checksum_bytes() -> None:
    text = encode([Field("00", "01"), Field("59", "最佳运输")])

    assert text.startswith("0002015904最佳运输6304")
    assert parse(text).value_of("59") == "最佳运输"


GOOD: dict[str, Any] = {
    "accounts": [template("26", {"00": "example.opentill", "01": "898310154110001"})],
    "category": "5411",
    "currency": 156,
    "country": "CN",
    "name": "Bench Corner Shop",
    "city": "SHANGHAI",
}


def test_a_whole_code_is_built_and_read_back() -> None:
    text = build(
        **GOOD,
        amount="345.60",
        dynamic=True,
        tip=Tip(percent="05.00"),
        postal_code="200030",
        additional={"01": "A-17", "07": "OPENTL01", "09": "ME"},
        language=Language("ZH", "街角试验小店", "上海"),
        unreserved=[template("91", {"00": "example.loyalty", "07": "12345678"})],
    )
    code = parse(text)

    assert code.faults() == ()
    assert code.value_of("54") == "345.60"
    assert code.value_of("57") == "05.00"
    assert code.value_of("53") == "156"
    ids = "00 01 26 52 53 54 55 57 58 59 60 61 62 64 91 63"
    assert [field.id for field in code.fields] == ids.split()
    assert code.is_dynamic
    assert code.value_of("61") == "200030"
    assert code.value_of("64") == "0002ZH0106街角试验小店0202上海"
    assert code.value_of("91") == "0015example.loyalty070812345678"


def test_a_code_for_the_counter_is_static_and_may_leave_all_else_out() -> None:
    code = parse(build(**GOOD, language=Language("ZH", "店")))

    ids = "00 01 26 52 53 58 59 60 64 63"
    assert [field.id for field in code.fields] == ids.split()
    assert not code.is_dynamic
    assert code.value_of("64") == "0002ZH0101店"


@pytest.mark.parametrize(
    ("tip", "fields"),
    [
        (Tip(), {"55": "01", "56": None, "57": None}),
        (Tip(fixed="1.50"), {"55": "02", "56": "1.50", "57": None}),
        (Tip(percent="12.50"), {"55": "03", "56": None, "57": "12.50"}),
    ],
)
def test_a_tip_is_asked_for_or_fixed(tip: Tip, fields: dict[str, str | None]) -> None:
    code = parse(build(**GOOD, tip=tip))

    assert {id: code.value_of(id) for id in fields} == fields


def test_accounts_have_ids_from_02_to_51_and_schemes_templates_from_80_to_99() -> None:
    scheme = {"00": "example.scheme"}
    accounts = [Field("02", "4000123456789012"), template("51", scheme)]
    others = [template("80", scheme), template("99", scheme)]
    code = parse(build(**{**GOOD, "accounts": accounts}, unreserved=others))

    assert [field.id for field in code.accounts] == ["02", "51"]
    for id in ("51", "80", "99"):
        opened = code.field(id)
        assert opened is not None
        assert opened.value_of("00") == "example.scheme"


def test_no_field_is_written_twice() -> None:
    twice = [template("26", {"00": "a"}), template("26", {"00": "b"})]
    with pytest.raises(MalformedData, match="id '26' is no id, or stands twice"):
        build(**{**GOOD, "accounts": twice})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accounts": []}, "no account"),
        ({"category": "541"}, "52: must be four digits"),
        ({"amount": "-1.00"}, "54: must be digits"),
        ({"amount": "1,00"}, "54: must be digits"),
        ({"amount": "12345678901234"}, "54: must be digits"),
        ({"country": "cn"}, "58: must be two capital"),
        ({"name": ""}, "59: must be 1 to 25"),
        ({"name": "x" * 26}, "59: must be 1 to 25"),
        ({"name": "x" * 100}, "/59: 100 characters, at most 99"),
        ({"city": "x" * 16}, "60: must be 1 to 15"),
        ({"tip": Tip(percent="00.00")}, "57: must be 00.01 to 99.99"),
        ({"tip": Tip(percent="100")}, "57: must be 00.01 to 99.99"),
        ({"tip": Tip(fixed="1", percent="1")}, "not both"),
        ({"additional": {"09": "AA"}}, "62/09: must be A, M and E"),
        ({"additional": {"01": "x" * 26}}, "62/01: must be 1 to 25"),
        ({"additional": {"1": "x"}}, "is no id"),
        ({"language": Language("CHN", "x")}, "64/00: must be two letters"),
        ({"accounts": [template("26", {"01": "x"})]}, "/26: no field 00"),
        ({"accounts": [template("26", {"00": "x" * 33})]}, "26/00: must be 1 to 32"),
        ({"accounts": [template("26", {"00": "x" * 32, "01": "y" * 64})]}, "/26: 104 characters"),
        ({"name": "\ud800"}, "no Unicode text"),
    ],
)
def test_nothing_is_built_that_breaks_the_specification(change: dict[str, Any], says: str) -> None:
    with pytest.raises(MalformedData) as refusal:
        build(**{**GOOD, **change})
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ([Field("55", "02")], "56: missing, 55 is 02"),
        ([Field("55", "01"), Field("56", "1")], "56: only where 55 is 02"),
        ([Field("57", "1")], "57: only where 55 is 03"),
        ([template("64", {"02": "x"})], "64/00: missing"),
    ],
)
def test_fields_that_need_each_other_are_missed(fields: list[Field], fault: str) -> None:
    assert fault in parse(encode([Field("00", "01"), *fields])).faults()


ids = st.integers(1, 25).map("{:02d}".format)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.dictionaries(ids, values, max_size=8))
def test_reading_undoes_writing(content: dict[str, str]) -> None:
    fields = (Field("00", "01"), *(Field(id, value) for id, value in content.items()))

    assert parse(encode(fields)).fields[:-1] == fields


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet="0123456789", max_size=80).map(lambda rest: "000201" + rest),
        st.text(alphabet="0123468259", max_size=80).map(
            lambda rest: f"000201{rest}6304" + checksum(f"000201{rest}6304")
        ),
    )
)
def test_any_text_is_read_or_refused(noise: str) -> None:
    try:
        code = parse(noise)
    except MalformedData:
        return
    code.faults()
    assert encode(code.fields[:-1])[:-4] == noise[:-4]


@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    """CRC-16 finds every burst of up to 16 bits, so every changed ASCII character."""
    text = build(**GOOD)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
    altered = text[:place] + other + text[place + 1 :]
    if altered.upper() == text or altered == text:
        return
    with pytest.raises(MalformedData):
        parse(altered)
