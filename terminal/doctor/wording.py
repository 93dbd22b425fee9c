"""What each finding is called, how grave it is, and the step that mends it.

English is the key that the screen's catalogue translates; what stands in
braces comes with the finding.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.protocols import Symptom


class Level(enum.StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should look at it."""
    FAULT = "fault"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A finding in words."""

    level: Level
    text: str
    step: str = ""


class Matter(enum.StrEnum):
    """What is found beside devices. Scripts read the values: they stay as they are."""

    SHOP_READ = "shop-read"
    SHOP_UNREADABLE = "shop-unreadable"
    NO_DEVICES = "no-devices"
    NOT_USABLE = "not-usable"
    FOUND = "found"
    FOUND_LINE = "found-line"
    BANK_ANSWERS = "bank-answers"
    BANK_SIMULATED = "bank-simulated"
    BANK_CANNOT_BE_SIMULATED = "bank-cannot-be-simulated"
    BANK_UNKNOWN = "bank-unknown"
    BANK_UNREACHABLE = "bank-unreachable"
    BANK_INSECURE = "bank-insecure"
    BANK_NO_ANSWER = "bank-no-answer"
    BANK_REFUSES = "bank-refuses"
    PUSH_LISTENS = "push-listens"
    PUSH_UNAVAILABLE = "push-unavailable"
    PUSH_LIBRARY_MISSING = "push-library-missing"
    PARAMETERS_HOLD = "parameters-hold"
    PARAMETERS_REFUSED = "parameters-refused"
    CLOCK_RIGHT = "clock-right"
    CLOCK_OFF = "clock-off"
    CLOCK_WRONG = "clock-wrong"
    KEYS_GOOD = "keys-good"
    KEYS_CLONED = "keys-cloned"
    KEYS_UNPROTECTED = "keys-unprotected"
    KEYS_TO_BE_MADE = "keys-to-be-made"
    KEYS_MISSING = "keys-missing"
    KEYS_OPEN = "keys-open"
    KEYS_UNUSABLE = "keys-unusable"
    CERTIFICATE_GOOD = "certificate-good"
    CERTIFICATE_ENDS = "certificate-ends"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CHAINS_HOLD = "chains-hold"
    CHAINS_CUT = "chains-cut"
    JOURNAL_HOLDS = "journal-holds"
    JOURNAL_END_HOLDS = "journal-end-holds"
    JOURNAL_TO_BE_MADE = "journal-to-be-made"
    JOURNAL_UNREADABLE = "journal-unreadable"
    JOURNAL_DAMAGED = "journal-damaged"
    SQLITE = "sqlite"
    DISK_ROOM = "disk-room"
    DISK_LOW = "disk-low"
    DISK_FULL = "disk-full"
    HOME_NOT_WRITABLE = "home-not-writable"
    NO_SCREEN = "no-screen"
    SCREEN_FITS = "screen-fits"
    SCREEN_SMALL = "screen-small"
    UTF8 = "utf-8"
    NOT_UTF8 = "not-utf-8"
    COLOURS = "colours"
    FEW_COLOURS = "few-colours"
    BLOCKS_NARROW = "blocks-narrow"
    BLOCKS_WIDE = "blocks-wide"
    BLOCKS_UNTOLD = "blocks-untold"
    VERSION = "version"
    EXTRA_ABSENT = "extra-absent"
    LIBRARY_ABSENT = "library-absent"


_OK, _WARNING, _FAULT = Level.OK, Level.WARNING, Level.FAULT

_DEVICES: Mapping[str, Wording] = {
    Symptom.WORKS: Wording(_OK, "works: {what}"),
    Symptom.HELD: Wording(_OK, "in use by the till that runs"),
    Symptom.UNSEEN: Wording(_OK, "can be used: {what}. It never tells whether it is there"),
    Symptom.SIMULATED: Wording(_OK, "simulated: it comes up with the till"),
    Symptom.PAPER_LOW: Wording(_WARNING, "works, paper is low: {what}", "Have a new roll at hand"),
    Symptom.LIBRARY_MISSING: Wording(
        _FAULT, "the library {library} is not installed", "pip install '{package}'"
    ),
    Symptom.SYSTEM_LIBRARY_MISSING: Wording(
        _FAULT,
        "{library} is not on this machine",
        "sudo apt-get install libpcsclite1 pcscd",
    ),
    Symptom.SERVICE_MISSING: Wording(
        _FAULT, "{service} is not installed", "sudo apt-get install {service}"
    ),
    Symptom.SERVICE_STOPPED: Wording(
        _FAULT,
        "{service} does not run: nobody answers at {path}",
        "sudo systemctl enable --now {service}.socket",
    ),
    Symptom.SERVICE_SILENT: Wording(
        _FAULT,
        "{service} runs and answers nobody: one of its readers may hold it up",
        "sudo systemctl restart {service}; if that does not help, unplug its readers",
    ),
    Symptom.SERVICE_NOT_ALLOWED: Wording(
        _FAULT,
        "this user may not talk to {service} at {path}",
        "See who owns that socket, and let this user use it",
    ),
    Symptom.NO_READER: Wording(
        _FAULT,
        "no reader {wanted}; there is: {there}",
        "Plug it in, or name one of these in the shop's file",
    ),
    Symptom.ABSENT: Wording(
        _FAULT, "{path} does not exist", "Plug it in, or name another path in the shop's file"
    ),
    Symptom.NOT_ALLOWED: Wording(
        _FAULT,
        "user {user} may not open {path}",
        "sudo usermod -aG {group} {user}; then log out and in again",
    ),
    Symptom.NOT_ALLOWED_YET: Wording(
        _FAULT,
        "user {user} is in the group {group}, but not in this session",
        "Log out and in again",
    ),
    Symptom.NO_RULE: Wording(
        _FAULT,
        "only root may open {path}",
        "echo '{rule}' | sudo tee -a {rules_file}; sudo udevadm control --reload; "
        "sudo udevadm trigger; sudo usermod -aG {group} {user}; then log out and in again",
    ),
    Symptom.BUSY: Wording(
        _FAULT, "{path} is in use by {program}, process {pid}", "End that program"
    ),
    Symptom.WRONG_FILE: Wording(
        _FAULT, "{path} is no device", "Name the device's path in the shop's file"
    ),
    Symptom.KERNEL_HOLDS_IT: Wording(
        _FAULT,
        "the kernel module {module} has taken {what}",
        "echo 'blacklist {module}' | sudo tee -a /etc/modprobe.d/opentill.conf; "
        "sudo modprobe -r {module}",
    ),
    Symptom.SILENT: Wording(
        _FAULT, "{path} says nothing", "See that it is switched on, and the cable is the right one"
    ),
    Symptom.GARBLED: Wording(
        _FAULT,
        "{path} answers nonsense at {baud} baud",
        "Set options.baud to the speed the device is set to",
    ),
    Symptom.NO_PICTURE: Wording(
        _FAULT,
        "no picture: {what}",
        "See that it is plugged in, and that no other program uses it",
    ),
    Symptom.PAPER_OUT: Wording(_FAULT, "paper is out: {what}", "Put in a new roll"),
    Symptom.COVER_OPEN: Wording(_FAULT, "its cover is open: {what}", "Close it"),
    Symptom.OFFLINE: Wording(
        _FAULT, "offline: {what}", "Press its feed key, or switch it off and on"
    ),
    Symptom.DAMAGED: Wording(
        _FAULT,
        "cutter or head is faulty: {what}",
        "Clear the paper's way, switch it off and on",
    ),
    Symptom.NO_KEYS: Wording(_FAULT, "it has no keys: {why}", "Have keys injected"),
    Symptom.OPTION_REFUSED: Wording(_FAULT, "{why}", "Correct its options in the shop's file"),
    Symptom.UNKNOWN_DRIVER: Wording(_FAULT, "{why}", "Name one of these in the shop's file"),
    Symptom.FAILS: Wording(_FAULT, "{why}"),
}

_OTHERS: Mapping[str, Wording] = {
    Matter.SHOP_READ: Wording(_OK, "{file}: {name}, a {mode} shop"),
    Matter.SHOP_UNREADABLE: Wording(_FAULT, "{why}", "Correct that file, then look again"),
    Matter.NO_DEVICES: Wording(
        _WARNING, "the shop's file names no reader and no scanner", "Add what is found below"
    ),
    Matter.NOT_USABLE: Wording(
        _FAULT,
        "the till cannot use it now",
        "See plug, switch and paper; on the bench, end its fault",
    ),
    Matter.FOUND: Wording(
        _OK, "plugged in, for driver {driver}", "Add these lines to the shop's file to use it"
    ),
    Matter.FOUND_LINE: Wording(
        _OK,
        "a serial line: {what}",
        "Add these lines to use it as a scanner; docs/peripherals.md has printers and others",
    ),
    Matter.BANK_ANSWERS: Wording(_OK, "{url} answers in {ms} ms, over TLS 1.3, and proves it"),
    Matter.BANK_SIMULATED: Wording(_OK, "simulated: it comes up with the till"),
    Matter.BANK_CANNOT_BE_SIMULATED: Wording(
        _FAULT,
        "the simulated bank needs {library}, which is not installed",
        "pip install 'opentill[bank]'",
    ),
    Matter.BANK_UNKNOWN: Wording(
        _WARNING, "not asked: there are no keys to ask with", "Mend the keys first"
    ),
    Matter.BANK_UNREACHABLE: Wording(
        _FAULT, "{why}", "See to network and bank.url; sales cannot go online"
    ),
    Matter.BANK_INSECURE: Wording(
        _FAULT, "{why}", "Do not pay over this link until bank and till trust each other"
    ),
    Matter.BANK_NO_ANSWER: Wording(
        _FAULT, "{url} was asked, and gave no answer that counts: {why}", "Call the bank"
    ),
    Matter.BANK_REFUSES: Wording(
        _FAULT, "{url} refuses this till: {why}", "Call the bank, with the till's identity"
    ),
    Matter.PUSH_LISTENS: Wording(_OK, "{url} lets this till listen"),
    Matter.PUSH_UNAVAILABLE: Wording(
        _WARNING,
        "{why}. The till asks the bank in its own time",
        "Check bank.push_url, and that the broker runs and lets this till in",
    ),
    Matter.PUSH_LIBRARY_MISSING: Wording(
        _WARNING,
        "bank.push_url is not listened to: the library is missing",
        "Install it: pip install 'opentill[push]'",
    ),
    Matter.PARAMETERS_HOLD: Wording(_OK, "version {version} of what the bank sets holds"),
    Matter.PARAMETERS_REFUSED: Wording(
        _WARNING,
        "what the bank sent last is refused: {why}",
        "See what holds: till config show",
    ),
    Matter.CLOCK_RIGHT: Wording(_OK, "{skew} s from the bank's"),
    Matter.CLOCK_OFF: Wording(
        _WARNING, "{skew} s from the bank's", "Set the time: sudo timedatectl set-ntp true"
    ),
    Matter.CLOCK_WRONG: Wording(
        _FAULT,
        "{skew} s from the bank's: the bank refuses what this till signs",
        "Set the time: sudo timedatectl set-ntp true",
    ),
    Matter.KEYS_GOOD: Wording(_OK, "enrolled as {till}; only this user reads the keys"),
    Matter.KEYS_CLONED: Wording(
        _FAULT,
        "the bank has seen another till with this till's keys, or an old copy of this one",
        "Have the bank revoke them, and enrol again",
    ),
    Matter.CHAINS_HOLD: Wording(_OK, "they go through all {count} ends that the bank has kept"),
    Matter.CHAINS_CUT: Wording(
        _FAULT, "{why}", "Somebody has changed this till's records: call the bank"
    ),
    Matter.KEYS_UNPROTECTED: Wording(
        _WARNING, "the private keys are not encrypted", "Encrypt them: till keys protect"
    ),
    Matter.KEYS_TO_BE_MADE: Wording(_OK, "none yet: a bench till enrols when it first starts"),
    Matter.KEYS_MISSING: Wording(
        _FAULT, "no keys in {folder}", "Enrol this till with its bank, by the bank's one-time code"
    ),
    Matter.KEYS_OPEN: Wording(
        _FAULT,
        "others may read {path}",
        "chmod 600 {path}; and enrol again if somebody did",
    ),
    Matter.KEYS_UNUSABLE: Wording(_FAULT, "{why}", "Enrol again if it cannot be put right"),
    Matter.CERTIFICATE_GOOD: Wording(_OK, "good until {date}"),
    Matter.CERTIFICATE_ENDS: Wording(_WARNING, "ends on {date}", "Renew it: till keys renew"),
    Matter.CERTIFICATE_EXPIRED: Wording(
        _FAULT, "ended on {date}", "Check the clock; else enrol again, with a code of the bank's"
    ),
    Matter.JOURNAL_HOLDS: Wording(_OK, "opens, and all its {count} moves hold"),
    Matter.JOURNAL_END_HOLDS: Wording(
        _OK, "opens, and its end holds; {size} MB are too much to read in whole"
    ),
    Matter.JOURNAL_TO_BE_MADE: Wording(_OK, "none yet: the till makes it when it first starts"),
    Matter.JOURNAL_UNREADABLE: Wording(
        _FAULT, "{why}", "See who owns the folder: the till's user must read and write it"
    ),
    Matter.JOURNAL_DAMAGED: Wording(
        _FAULT, "{why}", "Keep the folder as it is, copy it, and call service"
    ),
    Matter.SQLITE: Wording(_OK, "SQLite {version}"),
    Matter.DISK_ROOM: Wording(_OK, "{free} MB free at {folder}"),
    Matter.DISK_LOW: Wording(_WARNING, "{free} MB free at {folder}", "Make room on this disk"),
    Matter.DISK_FULL: Wording(
        _FAULT,
        "{free} MB free at {folder}: the next sale may be refused",
        "Make room on this disk",
    ),
    Matter.HOME_NOT_WRITABLE: Wording(
        _FAULT, "this user may not write {folder}", "sudo chown -R {user} {folder}"
    ),
    Matter.NO_SCREEN: Wording(_OK, "not on a terminal: nothing to look at"),
    Matter.SCREEN_FITS: Wording(_OK, "{columns} by {rows}"),
    Matter.SCREEN_SMALL: Wording(
        _WARNING,
        "{columns} by {rows}: the till's screen needs 80 by 24",
        "Make the window larger, or use: till run --plain",
    ),
    Matter.UTF8: Wording(_OK, "UTF-8"),
    Matter.NOT_UTF8: Wording(
        _FAULT, "{encoding}: Chinese and signs will not show", "export LANG=C.UTF-8"
    ),
    Matter.COLOURS: Wording(_OK, "{terminal} has colours"),
    Matter.FEW_COLOURS: Wording(
        _WARNING,
        "{terminal} says it has no colours; signs and words still tell all",
        "export TERM=xterm-256color, if the terminal can show it",
    ),
    Matter.BLOCKS_NARROW: Wording(_OK, "one column wide: large words and codes show"),
    Matter.BLOCKS_WIDE: Wording(
        _WARNING,
        "two columns wide: words come in bold, codes on the customer's screen or on paper",
        "Set the terminal's ambiguous-width characters to narrow",
    ),
    Matter.BLOCKS_UNTOLD: Wording(_OK, "the terminal does not tell how wide; taken for one column"),
    Matter.VERSION: Wording(_OK, "{versions}"),
    Matter.EXTRA_ABSENT: Wording(_OK, "not installed; needed for {what}: pip install '{package}'"),
    Matter.LIBRARY_ABSENT: Wording(
        _FAULT, "not installed: {libraries}", "pip install --force-reinstall opentill"
    ),
}

WORDING: Mapping[str, Wording] = {**_DEVICES, **_OTHERS}
"""By the code of a finding."""
