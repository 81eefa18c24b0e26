"""The command ``tokenize``: everything that the Tokenizer pane shows, without a screen."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.support.commands import Call, refused
from tests.core.support.texts import HARD
from tests.core.support.tiny import write_tokenizer


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    write_tokenizer(folder)
    (folder / "config.json").write_text('{"model_type": "distilbert"}', encoding="utf-8")
    return folder


@pytest.fixture
def ask(call: Call, checkpoint: Path) -> Any:
    """Return the JSON answer of a call that must succeed."""

    def asked(*arguments: object) -> dict[str, Any]:
        code, out, err = call("tokenize", "--json", "--checkpoint", checkpoint, *arguments)
        assert (code, err, out.count("\n")) == (0, "", 1)
        answer: dict[str, Any] = json.loads(out)
        assert answer["origins"]["tokenizer"]["kind"] == "folder"
        return answer

    return asked


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_stages_are_listed_in_order_with_their_output(ask: Any) -> None:
    assert ask("A Warm films.", "--stages")["stages"] == [
        {"name": "raw", "output": "A Warm films."},
        {"name": "normalised", "output": "a warm films."},
        {"name": "pre-tokens", "output": ["a", "warm", "films", "."]},
        {"name": "WordPiece", "output": ["a", "warm", "film", "##s", "."]},
        {"name": "with template", "output": ["[CLS]", "a", "warm", "film", "##s", ".", "[SEP]"]},
    ]


def test_warnings_name_kind_span_and_text(ask: Any) -> None:
    assert ask("a [SEP] film\0", "--max-length", "5")["warnings"] == [
        {"kind": "special", "span": [2, 7], "text": "[SEP]"},
        {"kind": "deleted", "span": [12, 13], "text": "\0"},
    ]
    assert ask("a warm film", "--max-length", "4")["warnings"] == [
        {"kind": "truncated", "span": [7, 11], "text": "film"}
    ]


def test_a_typed_special_token_can_be_split_as_text(ask: Any) -> None:
    assert 3 not in ask("[SEP]", "--split-special-tokens", "--no-special-tokens")["input_ids"]
    assert ask("[SEP]", "--no-special-tokens")["input_ids"] == [3]


def test_a_batch_has_ids_mask_and_the_share_of_padding(ask: Any) -> None:
    batch = ask("film", "a warm film", "--batch", "--padding-side", "left")["batch"]
    assert batch["attention_mask"] == [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert batch["input_ids"][0][:2] == [0, 0]
    assert (batch["padding"], batch["padding_share"]) == (2, 0.2)


def test_lines_of_stdin_are_the_texts_of_a_batch(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, "film\na warm film\n")
    answer = ask("--batch")
    assert [each["text"] for each in answer["texts"]] == ["film", "a warm film"]
    assert len(answer["batch"]["input_ids"]) == 2


def test_stdin_is_one_text_without_a_batch(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, "film\na warm film\n")
    assert ask()["text"] == "film\na warm film\n"


def test_decoding_shows_where_encoding_again_differs(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ask("--decode", "[2, 5, 3]")
    assert answer["text"] == "[CLS] film [SEP]"
    assert answer["decode"]["first_difference"] is None
    assert ask("--decode", "2 5 3", "--no-special-tokens")["text"] == "film"
    feed(monkeypatch, "2 5 3\n")
    assert ask("--decode", "-")["text"] == "[CLS] film [SEP]"


def test_the_vocabulary_is_searched(call: Call, checkpoint: Path, ask: Any) -> None:
    def found(pattern: str) -> Any:
        code, out, err = call("tokenize", "--json", "--checkpoint", checkpoint, "--vocab", pattern)
        assert (code, err.count("\n")) == (0, 1)
        assert "from a local folder" in err
        return json.loads(out)

    assert found("f*m") == [{"id": 5, "token": "film"}]
    assert [each["token"] for each in found("^##s$")] == ["##s"]
    assert found("nothing-like-it") == []
    assert ask("--vocab", "f*m", "--decode", "5")["vocab"] == [{"id": 5, "token": "film"}]


def test_two_tokenizers_are_compared(ask: Any, checkpoint: Path) -> None:
    answer = ask("Film films", "--compare", "cased")["compare"]
    assert answer["differences"] == [{"span": [0, 4], "text": "Film", "tokens": [["film"], ["[UNK]"]]}]
    assert answer["tokens_per_word"] == [1.5, 1.5]
    for same in (checkpoint, checkpoint / "tokenizer.json", checkpoint / "vocab.txt"):
        assert ask("Film", "--compare", same)["compare"]["differences"] == []


def test_reviews_are_measured_for_both_tokenizers(ask: Any, reviews_csv: Path) -> None:
    data = ask("--data", reviews_csv, "--compare", "cased", "--max-length", "8", "--reviews", "30")["data"]
    assert (data["tokenizer"]["count"], data["available"], data["origin"]["name"]) == (30, 40, "reviews.csv")
    assert data["tokenizer"]["longest"] == data["compare"]["longest"]
    assert 0 <= data["tokenizer"]["padding_share_sorted"] <= data["tokenizer"]["padding_share"] < 1
    assert data["tokenizer"]["cut"] > 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--decode", "x"), "'x' is not an id"),
        (("--vocab", "^("), "not a valid regular expression"),
        (("film", "--compare", "acme/absent"), "'acme/absent' is not available"),
        (("--data", "absent.csv"), "file not found"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    call: Call, checkpoint: Path, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(call("tokenize", "--checkpoint", checkpoint, *arguments))


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_print_no_control_characters(
    call: Call, checkpoint: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HARD[name][:20_000]
    feed(monkeypatch, text)
    code, out, err = call(
        "tokenize",
        text,
        "-",
        "--checkpoint",
        checkpoint,
        "--stages",
        "--batch",
        "--compare",
        "cased",
        "--max-length",
        "9",
    )
    assert code == 0
    shown = (out + err).replace("\n", "")
    assert all(char.isprintable() or char in "\u200b\u200d\ufeff\u3164" for char in shown)


def test_all_options_together_print_text(call: Call, checkpoint: Path, reviews_csv: Path) -> None:
    code, out, err = call(
        "tokenize", "A warm film [SEP]", "film", "--checkpoint", checkpoint, "--stages", "--batch",
        "--compare", "cased", "--decode", "2 5 3", "--vocab", "film", "--data", reviews_csv,
    )  # fmt: skip
    assert code == 0
    for part in (
        "pre-tokens",
        "encoded as a special token",
        "of padding",
        "tokens per word",
        "max_length 256 truncates",
    ):
        assert part in out
    assert "tokenizer:" in err
