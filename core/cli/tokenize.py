"""``imdb-tui tokenize``: encode texts, decode ids, search the vocabulary, measure reviews."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core import formatting
from core.cli.console import err
from core.cli.options import AsJson, require_with
from core.cli.stdin import all_of_stdin, read_texts
from core.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from core.tokenization.encode import Encoding


EXAMPLE = 'imdb-tui tokenize "hello my name is kevin"'


@dataclass(frozen=True, slots=True)
class Settings:
    """The tokenizer and its options."""

    tokenizer: Tokenizer
    special_tokens: bool
    max_length: int | None

    def encode(self, text: str, tokenizer: Tokenizer | None = None) -> Encoding:
        from core.tokenization.encode import encode

        return encode(
            tokenizer or self.tokenizer, text, add_special_tokens=self.special_tokens, max_length=self.max_length
        )


def tokenize(
    texts: Annotated[
        list[str] | None, typer.Argument(help="One or more texts; - or none reads stdin.", metavar="[TEXT]...")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="Checkpoint of the tokenizer: a name on the Hub or a folder.")
    ] = "distilbert-base-uncased",
    max_length: Annotated[int | None, typer.Option(min=3, max=512, help="Truncate to this many tokens.")] = None,
    special_tokens: Annotated[bool, typer.Option(help="Add [CLS] and [SEP].")] = True,
    split_special_tokens: Annotated[bool, typer.Option(help="Treat a [SEP] in the text as plain text.")] = False,
    stages: Annotated[
        bool, typer.Option("--stages", help="Show each stage: raw, normalised, pre-tokens, WordPiece, template.")
    ] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Pad the texts (of stdin: the lines) to one batch.")] = False,
    padding_side: Annotated[
        Literal["right", "left"] | None, typer.Option(help="Side of the padding; default: right.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(help="Another tokenizer (Hub, folder, file) or setting: cased, lowercase=no, …", metavar="NAME"),
    ] = None,
    decode: Annotated[
        str | None, typer.Option(help="Decode ids to a text; - reads them from stdin.", metavar="IDS")
    ] = None,
    vocab: Annotated[
        str | None, typer.Option(help="Search the vocabulary: id, piece, play*, ^un.*ly$.", metavar="PATTERN")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Also measure the lengths of reviews: auto, hub, embedded, or a file.")
    ] = None,
    reviews: Annotated[
        int | None, typer.Option(min=1, help="Number of reviews for --data, sampled with seed 0; default: 2000.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Encode a text as token ids, stage by stage, with warnings about lost text; or decode ids as a text."""
    from core.cli import tokenize_tables
    from core.sources.resolve import open_tokenizer
    from core.tokenization.compare import with_settings

    for option, given in {"--compare": compare, "--decode": decode, "--vocab": vocab, "--data": data}.items():
        if given is not None and not given.strip():
            raise InputError(f"{option} is empty; give a value, or remove the option")
    require_with("--batch", batch, {"--padding-side": padding_side})
    require_with("--data", data is not None, {"--reviews": reviews})
    tokenizer, origin = open_tokenizer(checkpoint)
    if split_special_tokens:
        tokenizer = with_settings(tokenizer, "split_special_tokens=yes")
    settings = Settings(tokenizer, special_tokens, max_length)
    answer: dict[str, Any] = {}
    if decode:
        answer |= _decoded(settings, decode)
    if vocab:
        answer["vocab"] = _found(settings, vocab)
    if texts or not (decode or vocab or data):
        side = (padding_side or "right") if batch else ""
        answer |= _encoded(settings, read_texts(texts, lines=batch, example=EXAMPLE), stages, side, compare or "")
    if data:
        answer["data"] = _measured(settings, data, reviews or 2000, compare or "")
    answer["origins"] = {**answer.get("origins", {}), "tokenizer": origin.as_dict()}
    if json:
        # The vocabulary alone is a list, like the views of `imdb-tui model`; its origin is printed on stderr.
        alone = vocab and answer.keys() == {"vocab", "origins"}
        print(formatting.as_json(answer["vocab"] if alone else answer))  # noqa: T201
        if not alone:
            return
    else:
        tokenize_tables.show(answer)
    err.print(f"tokenizer: {formatting.printable(origin.describe())}", soft_wrap=True)


def _encoded(settings: Settings, texts: list[str], stages: bool, side: str, compare: str) -> dict[str, Any]:
    """Return the answer for one text, or ``texts`` with an answer for each."""
    from core.tokenization import json_answers as answers
    from core.tokenization.decode import round_trip
    from core.tokenization.padding import pad_batch

    answer: dict[str, Any] = {}
    other, origin = _other(settings, compare) if compare else (None, None)
    each = []
    for text in texts:
        encoding = settings.encode(text)
        one = answers.encoding_answer(settings.tokenizer, encoding)
        one["round_trip"] = answers.round_trip_answer(round_trip(settings.tokenizer, text))
        limits: dict[str, Any] = {"add_special_tokens": settings.special_tokens, "max_length": settings.max_length}
        if stages:
            one["stages"] = answers.stages_answer(settings.tokenizer, text, **limits)
        if other is not None:
            one["compare"] = answers.comparison_answer(compare, encoding, settings.encode(text, other))
        each.append(one)
    answer |= each[0] if len(each) == 1 else {"texts": each}
    if side:
        batch = pad_batch(
            settings.tokenizer,
            texts,
            add_special_tokens=settings.special_tokens,
            max_length=settings.max_length,
            side="left" if side == "left" else "right",
        )
        answer["batch"] = answers.batch_answer(batch, side)
    if origin is not None:
        answer["origins"] = {"compare": origin}
    return answer


def _other(settings: Settings, name: str) -> tuple[Tokenizer, dict[str, str]]:
    """Return the tokenizer of ``--compare`` and its origin."""
    from core.sources.resolve import open_any_tokenizer
    from core.tokenization.compare import is_setting, with_settings

    if is_setting(name):
        return with_settings(settings.tokenizer, name), {"kind": "setting", "name": name}
    tokenizer, origin = open_any_tokenizer(name)
    return tokenizer, origin.as_dict()


def _decoded(settings: Settings, ids: str) -> dict[str, Any]:
    from core.tokenization.decode import decode, parse_ids
    from core.tokenization.json_answers import decoded_answer

    if ids == "-":
        ids = all_of_stdin()
        if not ids.strip():
            raise InputError("stdin has no ids; give whole numbers separated by spaces or commas")
    found = decode(
        settings.tokenizer, parse_ids(ids, settings.tokenizer), skip_special_tokens=not settings.special_tokens
    )
    answer = decoded_answer(found)
    return {"text": found.text, "decode": answer, "input_ids": answer["input_ids"], "tokens": answer["tokens"]}


def _found(settings: Settings, pattern: str) -> list[dict[str, Any]]:
    from core.tokenization.vocabulary import search

    return [{"id": entry.id, "token": entry.token} for entry in search(settings.tokenizer, pattern)]


def _measured(settings: Settings, data: str, count: int, compare: str) -> dict[str, Any]:
    """Measure tokens per review and per word, truncation and padding on a sample of reviews."""
    from core.config.schema import DataConfig, TrainConfig
    from core.sources.resolve import open_reviews
    from core.tokenization.json_answers import padding_answer, summary_answer
    from core.tokenization.length_stats import measure, summarise, token_lengths

    found, origin = open_reviews(data, DataConfig().dataset)
    texts = [review.text for review in random.Random(0).sample(found, min(count, len(found)))]
    max_length = settings.max_length or DataConfig().max_length
    answer: dict[str, Any] = {"origin": origin.as_dict(), "available": len(found), "max_length": max_length}
    tokenizers = {"tokenizer": settings.tokenizer}
    if compare:
        tokenizers["compare"] = _other(settings, compare)[0]
    for name, tokenizer in tokenizers.items():
        measured = [each for chunk in measure(tokenizer, texts) for each in chunk]
        summary = summarise(tokenizer, measured, add_special_tokens=settings.special_tokens, max_length=max_length)
        lengths = token_lengths(tokenizer, measured, add_special_tokens=settings.special_tokens, max_length=max_length)
        answer[name] = summary_answer(summary) | padding_answer(lengths, TrainConfig().batch_size)
    return answer
