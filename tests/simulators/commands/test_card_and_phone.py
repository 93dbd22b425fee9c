"""till sim: the list of simulators, and cards and phones spoken to by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulators.card import load_cards
from simulators.card.keys import CardKeys
from simulators.commands import COMMANDS, command
from simulators.phone import load_profiles as load_phones

SELECT = "00A4040007A000000003101000"
OPTIONS = (
    "80A80000238321 22404080 000000200000 000000000000 0156 0000000000 0156 261124 00 7FBC4049 00"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    CardKeys(folder).prepare()
    return folder


@pytest.fixture
def sim(home: Path) -> Callable[..., Result]:
    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(command, arguments, input=stdin, env={"OPENTILL_HOME": str(home)})

    return run


def test_the_group_lists_every_simulator_and_imports_none() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from simulators.commands import command\n"
        "print(CliRunner().invoke(command, ['--help']).output)\n"
        "print([name for name in sys.modules if name.startswith('simulators.')])\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    ).stdout
    for name in COMMANDS:
        assert f"  {name}" in printed
    assert "['simulators.commands']" in printed


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_simulator_has_help_with_an_example(sim: Callable[..., Result], name: str) -> None:
    result = sim(name, "--help")

    assert result.exit_code == 0
    assert f"till sim {name}" in result.output


def test_an_unknown_simulator_is_a_usage_error(sim: Callable[..., Result]) -> None:
    assert sim("teapot").exit_code == 2


@pytest.mark.parametrize(("kind", "profiles"), [("card", load_cards()), ("phone", load_phones())])
def test_the_list_has_one_line_each_the_plain_approval_first(
    sim: Callable[..., Result], kind: str, profiles: dict[str, object]
) -> None:
    plain = sim(kind, "--list").output.splitlines()
    rows = json.loads(sim(kind, "--list", "--json").output)

    assert [line.split()[0] for line in plain] == list(profiles)
    assert [row["name"] for row in rows] == list(profiles)
    assert "approved online" in plain[0]
    assert "approved online" in rows[0]["expect"]
    assert rows[0]["expect_zh"].startswith("联机批准")
    assert not [row for row in rows if "pan" in row]


def test_a_card_answers_each_command_with_its_meaning(sim: Callable[..., Result]) -> None:
    result = sim("card", "visa-online", "--apdu", SELECT, "--apdu", "00B2010C00")
    first, second = result.output.splitlines()

    assert result.exit_code == 0
    assert first.startswith("6F")
    assert first.endswith(" 9000 (done)")
    assert second == "6A82 (file or application not found)"


def test_commands_come_from_standard_input_with_words_and_remarks(
    sim: Callable[..., Result],
) -> None:
    script = f"# a tap\n{SELECT}  # the application\n\n{OPTIONS}\nreset\n{OPTIONS}\n"
    lines = [json.loads(line) for line in sim("card", "visa-online", "--json", stdin=script)
             .output.splitlines()]  # fmt: skip

    assert [line["status"] for line in lines] == ["9000", "9000", "6985"]
    assert lines[1]["command"] == OPTIONS
    assert lines[1]["data"].startswith("77")
    assert lines[2]["meaning"] == "conditions of use not satisfied"


def test_a_torn_card_is_away_until_it_is_held_there_again(sim: Callable[..., Result]) -> None:
    script = f"{SELECT}\n{SELECT}\nreset\n{SELECT}\n"
    lines = sim("card", "visa-online", "--fault", "tear-after:1", stdin=script).output.splitlines()

    assert lines[:2] == ["the card has left", "the card has left"]
    assert lines[2].endswith("9000 (done)")


def test_silence_and_delay_are_said(sim: Callable[..., Result]) -> None:
    faults = ("--fault", "silence:1", "--fault", "delay:7@2")
    lines = sim("card", "visa-online", *faults, stdin="00840000\n00840000\n").output.splitlines()

    assert lines == ["the card says nothing", "6D00 (instruction not supported) after 7 ms"]


def test_a_phone_asks_for_its_owner_and_pays_once_unlocked(sim: Callable[..., Result]) -> None:
    script = f"{SELECT}\n{OPTIONS}\nunlock\nreset\n{SELECT}\n{OPTIONS}\n"
    lines = sim("phone", "phone-see-phone", stdin=script).output.splitlines()

    assert lines[1].startswith("6986")
    assert "9F6C020080" in lines[3]
    unlocked = sim("phone", "phone-see-phone", "--unlock", "--apdu", SELECT, "--apdu", OPTIONS)
    assert "9F6C020080" in unlocked.output.splitlines()[1]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("card",), 2, "--list"),
        (("phone",), 2, "--list"),
        (("card", "gold", "--apdu", SELECT), 1, "there are: visa-online"),
        (("phone", "visa-online"), 1, "there are: phone-approved"),
        (("card", "visa-online", "--apdu", "xyz"), 2, "'xyz' is not hexadecimal"),
        (("card", "visa-online", "--apdu", "00A4"), 2, "4 bytes or more"),
        (("card", "visa-online", "--fault", "boom:1"), 1, "tear-before:3"),
        (("card", "visa-online", "--home", "/proc/nowhere"), 1, "/proc/nowhere"),
    ],
)
def test_a_mistake_is_answered_with_what_is_wrong(
    sim: Callable[..., Result], arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = sim(*arguments)

    assert result.exit_code == status
    assert words in result.output
    assert "Traceback" not in result.output


def test_a_home_can_be_named(sim: Callable[..., Result], tmp_path: Path) -> None:
    result = sim("card", "visa-online", "--home", str(tmp_path / "new"), "--apdu", SELECT)

    assert result.exit_code == 0
    assert (tmp_path / "new" / "cards" / "issuer-master-key").exists()


def test_a_chip_card_remembers_until_it_is_made_as_new(sim: Callable[..., Result]) -> None:
    """One wrong PIN of its three: it stays spent, until the card is told to forget."""
    select, options = SELECT, "80A80000028300 00"
    wrong, tries = "0020008008249999FFFFFFFFFF", "80CA9F1700"

    def tries_left(*more: str) -> str:
        apdus = ("--apdu", select, "--apdu", options, *more, "--apdu", tries)
        return sim("card", "contact-pin", *apdus).output.splitlines()[-1]

    assert "9F170103" in tries_left()
    assert "9F170102" in tries_left("--apdu", wrong)
    assert "9F170102" in tries_left()
    assert "9F170103" in tries_left("--as-new")
