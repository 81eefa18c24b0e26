"""Print the answers of ``imdb-tui tokenize`` as tables and lines, without control characters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.table import Table
from rich.text import Text

from core.cli.console import out
from core.formatting import percent, printable, shortened
from core.tokenization.compare import SHORT, is_setting
from core.tokenization.text_warnings import MEANINGS


def show(answer: dict[str, Any]) -> None:
    """Print the parts that ``answer`` has."""
    if "decode" in answer:
        _show_decoded(answer["decode"])
    if "offsets" in answer:
        _show_encoding(answer)
    for number, each in enumerate(answer.get("texts", ()), start=1):
        out.print(f"text {number}")
        _show_encoding(each)
    if "vocab" in answer:
        _show_entries(answer["vocab"])
    if "batch" in answer:
        _show_batch(answer["batch"])
    if "data" in answer:
        _show_data(answer["data"])


def _line(text: str) -> None:
    out.print(printable(text), soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in ("pos", "id", "span", "from", "to") else "left")
    return table


def _show_encoding(answer: dict[str, Any]) -> None:
    table = _table("pos", "id", "token", "span", "kind")
    rows = zip(answer["input_ids"], answer["tokens"], answer["offsets"], answer["kinds"], strict=True)
    for position, (id_, token, (start, end), kind) in enumerate(rows):
        span = "" if start == end else f"{start}–{end}"
        table.add_row(str(position), str(id_), Text(printable(token)), span, kind)
    out.print(table)
    for stage in answer.get("stages", ()):
        output = stage["output"]
        _line(f"{stage['name']:>14}  {output if isinstance(output, str) else ' | '.join(output)}")
    _show_warnings(answer["warnings"])
    lost = answer["full_length"] - len(answer["input_ids"])
    if lost:
        at = len(answer["text"]) - len(answer["cut_text"])
        _line(f"truncated: {lost} tokens, from character {at}: '{shortened(answer['cut_text'])}'")
    if "compare" in answer:
        _show_comparison(answer["compare"])


def _show_warnings(warnings: list[dict[str, Any]]) -> None:
    counts = Counter(each["kind"] for each in warnings)
    for kind, count in counts.items():
        if kind == "truncated":
            continue
        examples = [each["text"] for each in warnings if each["kind"] == kind][:5]
        meaning = MEANINGS[kind].format(limit=100)
        shown = ", ".join(shortened(example) for example in examples)
        _line(f"{kind} x{count}: {meaning}: {shown}{' …' if count > 5 else ''}")


def _show_comparison(answer: dict[str, Any]) -> None:
    first, second = answer["tokens_per_word"]
    _line(f"compared with {_other_name(answer['name'])}: {first:.2f} and {second:.2f} tokens per word")
    if not answer["differences"]:
        _line("both produce the same tokens for every word")
        return
    table = _table("word", "this tokenizer", "the other")
    for each in answer["differences"]:
        one, other = (Text(printable(" ".join(tokens))) for tokens in each["tokens"])
        table.add_row(Text(shortened(each["text"])), one, other)
    out.print(table)


def _other_name(name: str) -> str:
    """Name the other tokenizer. A setting uses the same vocabulary."""
    return f"this vocabulary with {SHORT.get(name, name)}" if is_setting(name) else name


def _show_batch(answer: dict[str, Any]) -> None:
    """Print the ids of each row; a dot stands for a position that attention_mask hides."""
    _line(
        f"batch of {len(answer['input_ids'])} x {answer['longest']}: {answer['tokens']} tokens, {answer['padding']} "
        f"of padding ({percent(answer['padding_share'])}), on the {answer['padding_side']}"
    )
    for ids, mask in zip(answer["input_ids"], answer["attention_mask"], strict=True):
        _line(" ".join(f"{id_:>5}" if seen else "    ·" for id_, seen in zip(ids, mask, strict=True)))


def _show_entries(found: list[dict[str, Any]]) -> None:
    table = _table("id", "token")
    for each in found:
        table.add_row(str(each["id"]), Text(printable(each["token"])))
    out.print(table)
    _line(f"{len(found)} found" if found else "no token of the vocabulary matches; try fewer letters")


def _show_decoded(answer: dict[str, Any]) -> None:
    _line(answer["text"])
    at = answer["first_difference"]
    if at is None:
        _line("encoding the text again gives the same ids")
    else:
        ids = " ".join(map(str, answer["again"][at : at + 12]))
        _line(f"encoding the text again gives other ids from position {at}: {ids}")


def _show_data(answer: dict[str, Any]) -> None:
    for name in ("tokenizer", "compare"):
        if name not in answer:
            continue
        each = answer[name]
        _line(
            f"{name}: {each['count']:,} of {answer['available']:,} reviews ({answer['origin']['name']}): mean "
            f"{each['mean']:.0f}, median {each['median']:.0f}, longest {each['longest']} tokens; "
            f"{each['tokens_per_word']:.2f} tokens per word"
        )
        _line(
            f"  max_length {answer['max_length']} truncates {each['cut']:,} of them and removes "
            f"{percent(each['lost_share'])} of all tokens; unknown {percent(each['unknown_share'])}"
        )
        _line(
            f"  padding in batches of {each['batch_size']}: {percent(each['padding_share'])}, sorted by length "
            f"{percent(each['padding_share_sorted'])}"
        )
