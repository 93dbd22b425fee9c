"""What was decoded as a page to share: one file, no script, nothing fetched.

What may be seen is decided before: nothing here unmasks anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from emv.describe import Description
from emv.dialogue import Told

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
       padding: 0 1rem; color: #1b2330; background: #fff; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
ul { list-style: none; margin: .2rem 0; padding-left: 1.2rem; border-left: 1px solid #d5dbe5; }
.note { color: #5b6675; } .hidden { color: #a33; } .said { margin: .3rem 0; }
@media (prefers-color-scheme: dark) {
  body { color: #dfe6f0; background: #14181f; } ul { border-color: #333c4a; }
  .note { color: #9aa6b6; } .hidden { color: #ff8f8f; }
}
"""
_STARS = re.compile(r"\*+")
MASKED = "Card numbers, tracks, names and PIN data are masked with stars."
WHOLE = "Nothing on this page is masked. Keep it to yourself unless the card is a test card."


def page(title: str, body: Iterable[str], *, whole: bool) -> str:
    """Return a whole page. body: its parts, made by the functions below."""
    parts = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="note">{WHOLE if whole else MASKED}</p>\n'
        f"{parts}\n</body></html>\n"
    )


def objects(described: Iterable[Description]) -> str:
    """Return data objects as a list in a list."""
    items = []
    for entry in described:
        head = f"<b>{entry.tag:02X}</b> [{entry.length}] {escape(entry.name)}"
        if entry.value:
            head += f" {_digits(entry.value)}"
        if entry.text:
            head += f" = {escape(entry.text)}"
        notes = "".join(f'<div class="note">{escape(note)}</div>' for note in entry.notes)
        items.append(f"<li>{head}{notes}{objects(entry.children or ())}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def conversation(told: Iterable[Told]) -> list[str]:
    """Return each exchange under a heading."""
    parts = []
    for number, exchange in enumerate(told, 1):
        parts.append(f"<h2>{number}. {escape(exchange.title)}</h2>")
        parts.append(f'<div class="said">&gt; {_digits(exchange.command)}</div>')
        parts.append(objects(exchange.asked))
        if exchange.response:
            parts.append(f'<div class="said">&lt; {_digits(exchange.response)}</div>')
        parts.append(f'<div class="note">{escape(exchange.status or "no answer")}</div>')
        parts.append(objects(exchange.answered))
        parts += [f'<div class="hidden">{escape(note)}</div>' for note in exchange.notes]
    return parts


def lines(heading: str, text: Sequence[str]) -> list[str]:
    """Return plain lines under a heading; nothing without any."""
    if not text:
        return []
    return [
        f"<h2>{escape(heading)}</h2>",
        *(f"<div><code>{escape(line)}</code></div>" for line in text),
    ]


def _digits(value: str) -> str:
    """Return hex digits, the stars among them set apart."""
    return f"<code>{_STARS.sub(_star, escape(value))}</code>"


def _star(found: re.Match[str]) -> str:
    return f'<span class="hidden">{found[0]}</span>'
