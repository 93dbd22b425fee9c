"""Keys are made once, kept private, and only the public one is for the till."""

from __future__ import annotations

import hashlib
import multiprocessing
import stat
import tomllib
from datetime import date
from pathlib import Path

import pytest

from config import load_settings
from emv.kernels import c8
from simulators.card import load_profiles, make_card
from simulators.card.counters import COUNTER_MAX
from simulators.card.errors import KeysUnusable
from simulators.card.kernel8.curve import GROUP_ORDER
from simulators.card.keys import CA_EXPIRES, CA_INDEX, CardKeys, ca_public_keys, prepare

TODAY = date(2026, 11, 24)


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_everything_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "state"
    prepare(home, TODAY)
    card = make_card(load_profiles()["visa-offline"], home)
    card.power_up()
    for command in (
        "00A4040007A000000003101000",
        "80A80000238321 22004080 000000010000 000000000000 0156 0000000000 0156 261124 00 "
        "7FBC4049 00",
    ):
        card.respond(bytes.fromhex(command))

    names = {path.relative_to(home).as_posix() for path in files(home)}
    assert {
        "cards/ca.pem",
        "cards/ca-public.toml",
        "cards/issuer.pem",
        "cards/issuer-master-key",
        "cards/icc/visa-offline.pem",
        "cards/counters/visa-offline",
    } <= names
    for path in files(home):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in [home, *(path for path in home.rglob("*") if path.is_dir())]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    prepare(tmp_path, TODAY)
    before = {path: path.read_bytes() for path in files(tmp_path)}
    prepare(tmp_path, TODAY)

    assert {path: path.read_bytes() for path in files(tmp_path)} == before


def test_the_till_can_load_the_public_key(home: Path) -> None:
    path = prepare(home, TODAY)
    publics = ca_public_keys(home)
    keys = [key for key in load_settings(more_ca_keys=[path]).ca_keys if key.index == CA_INDEX]

    schemes = ["003", "004", "025", "065", "152", "324", "333"]
    assert [key.rid.hex()[-3:] for key in keys] == schemes
    for key, public in zip(keys, publics, strict=True):
        assert (key.rid, key.modulus, key.exponent) == (public.rid, public.modulus, public.exponent)
        assert key.test
        assert key.expires == public.expires
        summed = public.rid + bytes((public.index,)) + public.modulus + b"\x03"
        assert key.sha1 == hashlib.sha1(summed).digest()


def test_the_till_can_load_the_ecc_key(home: Path) -> None:
    (key,) = load_settings(more_ca_keys=[prepare(home, TODAY)]).ec_keys
    public = CardKeys(home).ec_ca_public()

    assert (key.rid, key.index) == (bytes.fromhex("F000000008"), CA_INDEX)
    assert (key.x, key.y, key.expires) == (public.x, public.y, public.expires)
    assert key.test
    assert c8.ECKeyStore([c8.ECKey(key.rid, key.index, key.x, key.y)])


def test_a_damaged_ecc_secret_is_named(tmp_path: Path) -> None:
    keys = CardKeys(tmp_path)
    secret = keys.ec_secret("card")
    path = tmp_path / "cards" / "ec" / "card"

    assert keys.ec_secret("card") == secret
    for content in ("", "0", f"{GROUP_ORDER - secret:X}"):
        path.write_text(content)
        with pytest.raises(KeysUnusable, match="ec/card: damaged"):
            keys.ec_secret("card")


def test_the_till_s_file_holds_nothing_else(home: Path) -> None:
    file = tomllib.loads(prepare(home, TODAY).read_text())

    assert file.keys() == {"ca_keys", "ec_keys"}
    for entry in file["ec_keys"]:
        assert entry.keys() == {"rid", "index", "expires", "test", "x", "y"}
    for entry in file["ca_keys"]:
        assert entry.keys() == {"rid", "index", "exponent", "expires", "sha1", "test", "modulus"}


def test_the_scheme_has_published_no_key_under_our_index() -> None:
    config = Path(__file__).parents[3] / "config"
    published = [
        key["index"]
        for name in ("ca_keys.toml", "ca_keys_test.toml")
        for key in tomllib.loads((config / name).read_text())["ca_keys"]
    ]
    assert len(published) > 3
    assert CA_INDEX not in published


def test_the_bank_reads_the_master_key_as_hexadecimal(home: Path) -> None:
    text = (home / "cards" / "issuer-master-key").read_text()

    assert bytes.fromhex(text) == CardKeys(home).issuer_master_key()
    assert len(text.strip()) == 32


def test_the_master_key_comes_from_the_randomness_handed_in(tmp_path: Path) -> None:
    key = CardKeys(tmp_path, lambda count: bytes(range(count))).issuer_master_key()

    # The low bit of each byte is the parity.
    assert [byte >> 1 for byte in key] == [number >> 1 for number in range(16)]
    assert all(byte.bit_count() % 2 for byte in key)


def _prepare(home: Path, go: multiprocessing.synchronize.Event) -> None:
    go.wait()
    CardKeys(home).prepare()
    CardKeys(home).icc("same", 1024)


def test_processes_that_start_at_once_share_one_set_of_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    several = [context.Process(target=_prepare, args=(tmp_path, go)) for _ in range(3)]
    for process in several:
        process.start()
    go.set()
    for process in several:
        process.join()

    assert [process.exitcode for process in several] == [0, 0, 0]
    assert not [path for path in files(tmp_path) if path.name.endswith(".new")]
    public = CardKeys(tmp_path).ca_public_keys()[0]
    text = (tmp_path / "cards" / "ca-public.toml").read_text()
    assert public.modulus.hex().upper() in text


@pytest.mark.parametrize("content", ["", "zz", "0011", "ff" * 17])
def test_a_damaged_master_key_is_named(tmp_path: Path, content: str) -> None:
    prepare(tmp_path, TODAY)
    (tmp_path / "cards" / "issuer-master-key").write_text(content)

    with pytest.raises(KeysUnusable, match="issuer-master-key: damaged"):
        prepare(tmp_path, TODAY)


def test_a_damaged_rsa_key_is_named(tmp_path: Path) -> None:
    prepare(tmp_path, TODAY)
    (tmp_path / "cards" / "ca.pem").write_text("-----BEGIN PRIVATE KEY-----\n")

    with pytest.raises(KeysUnusable, match=r"ca\.pem: damaged"):
        prepare(tmp_path, TODAY)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(KeysUnusable, match="file"):
        prepare(tmp_path / "file", TODAY)


def test_the_authority_ends_one_day(tmp_path: Path) -> None:
    assert prepare(tmp_path, CA_EXPIRES).exists()
    with pytest.raises(KeysUnusable, match="ended on 2049-12-31"):
        prepare(tmp_path, date(2050, 1, 1))


def test_a_key_never_shows_itself(home: Path) -> None:
    key = CardKeys(home).ca()

    assert str(key.p) not in repr(key)
    assert str(key.d_p) not in repr(key)


def test_a_counter_that_is_used_up_ends_the_card(tmp_path: Path) -> None:
    prepare(tmp_path, TODAY)
    counter = CardKeys(tmp_path).counter("visa-online")
    assert (counter.value(), counter.next(), counter.value()) == (0, 1, 1)

    counter.path.write_text(str(COUNTER_MAX - 1))
    assert counter.next() == COUNTER_MAX
    assert counter.next() is None


def test_a_damaged_counter_is_named_and_not_begun_again(tmp_path: Path) -> None:
    counter = CardKeys(tmp_path).counter("visa-online")
    counter.next()
    counter.path.write_text("-3")

    with pytest.raises(KeysUnusable, match="counters/visa-online: not a counter"):
        counter.next()


def test_a_damaged_last_word_is_named(tmp_path: Path) -> None:
    unsaid = CardKeys(tmp_path).unsaid("one")
    unsaid.keep(b"\x01", b"\x02")
    assert unsaid.read() == (b"\x01", b"\x02")
    (tmp_path / "cards" / "unsaid" / "one").write_text("zz zz")

    with pytest.raises(KeysUnusable, match="unsaid/one: damaged"):
        unsaid.read()
