"""Logs as card tools write them: the same exchange comes out of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emv.dialogue import Exchange
from emv.errors import MalformedData
from terminal.decoding.apdu_log import looks_like_log, read_log

SELECT = "00A404000E325041592E5359532E444446303100"
ANSWER = "6F108408325041592E535953A5049F6501FF9000"
SELECT_WORDS = " ".join(SELECT[at : at + 2] for at in range(0, len(SELECT), 2))
ANSWER_WORDS = " ".join(ANSWER[at : at + 2] for at in range(0, len(ANSWER), 2))

# The frames are as the tools' own issue trackers and documents show them.
LOGS = {
    # github.com/martinpaljak/GlobalPlatformPro, issue 169
    "GlobalPlatformPro": f"""
SCardConnect("Alcor Micro AU9560 00 00", T=*) -> T=1, 3BDC18FF8191FE1FC38073C82113
A>> T=1 (4+0014) {SELECT[:8]} 0E {SELECT[10:-2]} 00
A<< (0018+2) (26ms) {ANSWER[:-4]} 9000
[TRACE] GlobalPlatform -  [6F]
[TRACE] GlobalPlatform -      [84] A000000151000000
""",
    "scriptor": f"""
Reading commands from STDIN
> {SELECT_WORDS}
< {ANSWER_WORDS} : Normal processing.
""",
    "pcscd": f"""
00000012 [139911] winscard_svc.c:1 APDU: {SELECT_WORDS}
00001204 [139911] winscard_svc.c:1 SW: {ANSWER_WORDS}
""",
    "opensc-tool": f"""
Using reader with a card: ACS ACR122U
Sending: {SELECT_WORDS}
Received (SW1=0x90, SW2=0x00):
{ANSWER_WORDS[:47]} o...2PAY.SYS....
{ANSWER_WORDS[48:-6]:48}..
""",
    "nfcpy": f"""
DEBUG:nfc.tag.tt4:>> {SELECT.lower()}
DEBUG:nfc.tag.tt4:<< {ANSWER.lower()}
""",
    # What nfcpy 1.0.4 writes at its lowest level: APDUs, blocks and datagrams.
    "nfcpy, every layer": f"""
INFO:nfc.clf:searching for reader on path udp:127.0.0.1:39870
Level 9:nfc.clf.udp:>>> 106A 26 to 127.0.0.1:45033
Level 9:nfc.clf.udp:<<< b'106A 4403' from 127.0.0.1:45033
DEBUG:nfc.clf:>>> e080 timeout=0.03
DEBUG:nfc.clf:<<< 07788080028031 0.000s
DEBUG:nfc.tag.tt4:rcvd RATS response: 07788080028031
DEBUG:nfc.tag.tt4:>> {SELECT.lower()}
DEBUG:nfc.clf:>>> 02{SELECT.lower()} timeout=0.08095339233038348
Level 9:nfc.clf.udp:>>> 106A 02{SELECT.lower()} to 127.0.0.1:45033
Level 9:nfc.clf.udp:<<< b'106A 02{ANSWER.lower()}' from 127.0.0.1:45033
DEBUG:nfc.clf:<<< 02{ANSWER.lower()} 0.002s
DEBUG:nfc.tag.tt4:<< {ANSWER.lower()}
""",
    "nfcpy, blocks alone": f"""
DEBUG:nfc.clf:>>> e080 timeout=0.03
DEBUG:nfc.clf:<<< 07788080028031 0.000s
DEBUG:nfc.clf:>>> 02{SELECT.lower()} timeout=0.08095339233038348
DEBUG:nfc.clf:<<< 02{ANSWER.lower()} 0.002s
""",
    "words": f"Command APDU: {SELECT_WORDS}\nResponse APDU: {ANSWER_WORDS}\n",
    "libnfc": f"=> {SELECT_WORDS}\n<= {ANSWER_WORDS}\n",
    "libnfc, PN532 frames": f"""
debug libnfc.driver TX: 00 00 ff 17 e9 d4 40 01 {SELECT_WORDS} 11 00
debug libnfc.driver RX: 00 00 ff 17 e9 d5 41 00 {ANSWER_WORDS} 22 00
""",
    "Proxmark, hf 14a apdu": f"""
[usb] pm3 --> hf 14a apdu -sk -d {SELECT}
[+] >>> {SELECT_WORDS}
[+] <<< {ANSWER_WORDS} | o...
""",
    # github.com/RfidResearchGroup/proxmark3, doc/trace_notes.md
    "Proxmark, trace list": f"""
      Start |        End | Src | Data (! denotes parity error)              | CRC | Annotation
------------+------------+-----+--------------------------------------------+-----+-----------
          0 |        992 | Rdr |52(7)                                       |     | WUPA
       2228 |       4596 | Tag |04  00                                      |     |
       7040 |       9504 | Rdr |93  20                                      |     | ANTICOLL
      10580 |      16404 | Tag |0A  53  40  62  7b                          |     |
      28000 |      32704 | Rdr |E0  80  31  73                              |  ok | RATS
      33972 |      43252 | Tag |0A  78  80  82  02  20  63  CB  A3  A0  92  43 | ok |
      90000 |      95000 | Rdr |02  {SELECT_WORDS[:23]}                     |     |
            |            |     |{SELECT_WORDS[24:]}  [B1 C2]                |  ok |
      96000 |      97000 | Tag |F2  01  91  40                              |  ok |
      98000 |      99000 | Rdr |F2  01  91  40                              |  ok |
     100000 |     101000 | Tag |12  {ANSWER_WORDS[:29]}  D3! 44             |  ok |
     102000 |     103000 | Rdr |A3  6F  C6                                  |  ok |
     104000 |     105000 | Tag |03  {ANSWER_WORDS[30:]}  00  01             |  ok |
""",
    "blocks alone": f">> 02{SELECT}\n<< f20191\n>> f20191\n<< 02{ANSWER}\n",
    "arrows": f">> {SELECT}\n<< {ANSWER}\n",
    "letters": f"C: {SELECT_WORDS}\nR: {ANSWER_WORDS}\n",
    "in turns": f"{SELECT}\n\n{ANSWER}\n",
}


@pytest.mark.parametrize("tool", LOGS)
def test_every_tools_log_is_read(tool: str) -> None:
    [exchange] = read_log(LOGS[tool])

    assert exchange.command.hex().upper() == SELECT
    assert exchange.response.hex().upper() == ANSWER


def test_a_status_word_alone_is_an_answer() -> None:
    [refused] = read_log(f"Sending: {SELECT_WORDS}\nReceived (SW1=0x6A, SW2=0x82)\n")

    assert refused.response == b"\x6a\x82"


def test_a_command_that_was_never_answered_stays() -> None:
    torn, last = read_log(f">> {SELECT}\n>> {SELECT}\n<< 9000\n")

    assert torn == Exchange(bytes.fromhex(SELECT), b"")
    assert last.response == b"\x90\x00"


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (">> 00A40000\n<< 9000\n<< 9000", "line 3: an answer without a command"),
        ("<< 9000", "no command in this log"),
        ("hello\nworld", "line 1: neither hex digits in pairs nor a known mark"),
        ("00A4\n9000\n123\n", "line 3: neither hex digits in pairs"),
        ("", "no command in this log"),
    ],
)
def test_what_is_no_log_is_refused_by_its_line(log: str, fault: str) -> None:
    with pytest.raises(MalformedData, match=fault):
        read_log(log)


@given(st.text("0123456789ABCDEFabcdef <>|:=-()[]RdrTagAPDUSW\n", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        exchanges = read_log(text)
    except MalformedData:
        return
    assert exchanges
    assert looks_like_log(text) or all(each.command for each in exchanges)
