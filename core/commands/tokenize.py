"""Show how a text becomes ids."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.table import Table

from core import report
from core.commands.options import AsJson
from core.terminal import err, out


def tokenize(
    text: Annotated[str, typer.Argument(help="The text; - reads stdin.")],
    checkpoint: Annotated[str, typer.Option(help="Whose tokenizer.")] = "distilbert-base-uncased",
    max_length: Annotated[int | None, typer.Option(min=3, max=512, help="Cut after so many tokens.")] = None,
    special_tokens: Annotated[bool, typer.Option(help="Put [CLS] and [SEP] around it.")] = True,
    json: AsJson = False,
) -> None:
    """Show how a text becomes ids."""
    from core.sources import open_tokenizer
    from core.tokenization import encode

    if text == "-":
        text = sys.stdin.buffer.read().decode(errors="replace")
    tokenizer, origin = open_tokenizer(checkpoint)
    encoding = encode(tokenizer, text, add_special_tokens=special_tokens, max_length=max_length)
    if json:
        answer = {
            "text": encoding.text,
            "input_ids": encoding.input_ids,
            "tokens": [token.token for token in encoding.tokens],
            "offsets": [[token.start, token.end] for token in encoding.tokens],
            "special_tokens_mask": [int(token.kind == "special") for token in encoding.tokens],
            "full_length": encoding.full_length,
            "cut_text": encoding.cut_text,
            "origins": {"tokenizer": origin.as_dict()},
        }
        print(report.as_json(answer))  # noqa: T201
        return
    table = Table("pos", "id", "token", "span", "kind", box=None, pad_edge=False)
    for token in encoding.tokens:
        span = "" if token.kind == "special" and token.start == token.end else f"{token.start}–{token.end}"
        table.add_row(str(token.position), str(token.id), report.printable(token.token), span, token.kind)
    out.print(table)
    if encoding.cut_from is not None:
        lost = encoding.full_length - len(encoding.tokens)
        out.print(
            f"cut: {lost} tokens, from character {encoding.cut_from}: {report.printable(encoding.cut_text)[:60]!r}",
            soft_wrap=True,
        )
    err.print(f"tokenizer: {origin.words()}", soft_wrap=True)
