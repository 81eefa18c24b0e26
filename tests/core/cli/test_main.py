"""The answers of the commands on stdout and their messages on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import __version__
from core.runs.directory import Run, runs_root
from tests.core.support.commands import Call
from tests.core.support.tiny import write_tokenizer

SUMMARY = {"run", "status", "preset", "epochs", "samples_per_second", "device", "dtype", "origins"}
EPOCH = {"train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds"}
ESCAPES = "warm \x1b[31mred\x1b[0m \x07 film \x9b2J"


def test_training_answers_with_one_json_object_and_nothing_else_on_stdout(call: Call, tiny: str) -> None:
    code, out, err = call("train", tiny, "--json")
    assert code == 0
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert answer.keys() >= SUMMARY
    assert (answer["status"], answer["preset"], answer["device"], answer["dtype"]) == (
        "completed",
        "tiny",
        "cpu",
        "float32",
    )
    assert [epoch["epoch"] for epoch in answer["epochs"]] == [1, 2]
    assert all(epoch.keys() >= EPOCH for epoch in answer["epochs"])
    assert answer["samples_per_second"] > 0
    assert answer["origins"].keys() == {"tokenizer", "weights", "reviews"}
    assert "epoch 2:" in err
    assert err.splitlines()[-1] == "✓ completed: finished 2 epochs"


def test_training_without_json_prints_nothing_on_stdout(call: Call, tiny: str) -> None:
    code, out, err = call("train", tiny)
    assert (code, out) == (0, "")
    assert "weights:" in err


def test_runs_and_show_answer_with_the_json_of_train(call: Call, tiny: str, tmp_path: Path) -> None:
    trained = json.loads(call("train", tiny, "--json", "--runs-dir", tmp_path / "runs")[1])
    code, out, err = call("runs", "--json", "--runs-dir", tmp_path / "runs")
    assert (code, err) == (0, "")
    (listed,) = json.loads(out)
    assert listed == trained
    code, out, err = call("show", trained["run"][:15], "--json", "--runs-dir", tmp_path / "runs")
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert {key: shown[key] for key in trained} == trained
    assert len(shown["curves"]["train/loss"]["values"]) == 8
    assert shown["config"]["train"]["batch_size"] == 8
    assert shown["environment"]["device"] == "cpu"


def test_runs_and_show_print_a_run_as_text(call: Call, tiny: str) -> None:
    name = json.loads(call("train", tiny, "--json")[1])["run"]
    code, out, _ = call("runs")
    assert code == 0
    assert name in out
    assert "✓ completed" in out
    code, out, _ = call("show", "last")
    assert code == 0
    assert out.startswith(f"{name}  ✓ completed\n")
    assert "forward: unpadded (no padding is computed)" in out
    assert "train: batch_size 8 · num_epochs 2 · learning_rate" in out
    assert "from a local folder" in out
    assert "epoch 2: val loss" in out


def test_no_runs_are_an_empty_list_and_a_hint(call: Call) -> None:
    assert call("runs", "--json") == (0, "[]\n", "")
    code, out, err = call("runs")
    assert (code, out) == (0, "")
    assert err.count("\n") == 1
    assert "imdb-tui train quick" in err


def test_set_and_data_change_the_configuration_of_the_run(
    call: Call, tiny: str, reviews_csv: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(reviews_csv.read_text(encoding="utf-8"), encoding="utf-8")
    changes = ("--set", "train.num_epochs=1", "--set", " train.seed = 7", "--data", other)
    answer = json.loads(call("train", tiny, *changes, "--json")[1])
    assert len(answer["epochs"]) == 1
    assert answer["origins"]["reviews"]["name"] == "other.csv"
    config = Run(runs_root() / answer["run"]).config()
    assert (config.train.seed, config.data.source) == (7, str(other))


def test_presets_lists_configurations_and_the_error_of_an_invalid_preset(call: Call, tiny: str, tmp_path: Path) -> None:
    (tmp_path / "own-presets" / "broken.toml").write_text("[train]\nspeed = 9\n", encoding="utf-8")
    code, out, err = call("presets", "--json")
    assert (code, err) == (0, "")
    rows = {row["name"]: row for row in json.loads(out)}
    assert set(rows) >= {"quick", "pretrained", "scratch", "improved", "tiny", "broken"}
    assert rows["tiny"]["config"]["train"]["batch_size"] == 8
    assert "unknown key train.speed" in rows["broken"]["error"]
    out = call("presets")[1]
    assert "✗ invalid" in out
    assert "unknown key train.speed" in " ".join(out.split())


def test_control_characters_of_a_preset_are_not_printed(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "own-presets"
    folder.mkdir()
    (folder / "odd.toml").write_text('title = "\\u001b[2J[/bold]"\ndescription = ":smile: [red]"\n', encoding="utf-8")
    code, out, _ = call("presets")
    assert code == 0
    assert "\x1b" not in out
    assert "␛[2J[/bold]" in out
    assert ":smile: [red]" in out


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    write_tokenizer(folder)
    (folder / "config.json").write_text('{"model_type": "distilbert"}', encoding="utf-8")
    return folder


def tokenized(call: Call, *arguments: object) -> dict[str, Any]:
    code, out, err = call("tokenize", "--json", *arguments)
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    answer: dict[str, Any] = json.loads(out)
    return answer


def test_tokens_have_ids_offsets_and_a_mask_of_special_ones(call: Call, tokenizer: Path) -> None:
    answer = tokenized(call, "A warm films.", "--checkpoint", tokenizer)
    assert answer["tokens"] == ["[CLS]", "a", "warm", "film", "##s", ".", "[SEP]"]
    assert answer["special_tokens_mask"] == [1, 0, 0, 0, 0, 0, 1]
    assert answer["input_ids"][0] == 2
    spans = answer["offsets"][1:-1]
    assert ["A warm films."[start:end] for start, end in spans] == ["A", "warm", "film", "s", "."]
    assert answer["origins"]["tokenizer"]["kind"] == "folder"


def test_a_truncated_text_shows_the_lost_tokens(call: Call, tokenizer: Path) -> None:
    answer = tokenized(call, "a warm film", "--max-length", "4", "--checkpoint", tokenizer)
    assert (answer["full_length"], len(answer["input_ids"]), answer["cut_text"]) == (5, 4, "film")
    out = call("tokenize", "a warm film", "--max-length", "4", "--checkpoint", tokenizer)[1]
    assert "truncated: 1 tokens, from character 7: 'film'" in out


def test_special_tokens_are_optional(call: Call, tokenizer: Path) -> None:
    answer = tokenized(call, "warm", "--no-special-tokens", "--checkpoint", tokenizer)
    assert answer["tokens"] == ["warm"]


@pytest.mark.parametrize("options", [(), ("--max-length", "3")])
def test_control_characters_of_a_text_never_reach_the_terminal(
    call: Call, tokenizer: Path, options: tuple[str, ...]
) -> None:
    code, out, err = call("tokenize", ESCAPES, "--checkpoint", tokenizer, *options)
    assert code == 0
    assert not any(char in out + err for char in "\x1b\x07\x9b")
    out = call("tokenize", "--json", ESCAPES, "--checkpoint", tokenizer)[1]
    assert "\x1b" not in out
    assert "\x07" not in out


def test_doctor_prints_one_fact_per_line_on_a_narrow_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    code, out, _ = call("doctor")
    assert code == 0
    lines = out.splitlines()
    assert f"imdb-tui  {__version__}" in lines
    start = lines.index("sources")
    nested = lines[start + 1 :]
    assert [line.split()[0] for line in nested] == ["tokenizer", "weights", "reviews"]
    assert {line.index(line.split()[1]) for line in nested} == {len("  tokenizer  ")}
    assert "HF_HUB_OFFLINE is set" in nested[2]
    assert all(line.strip() for line in lines)


def test_doctor_answers_in_json(call: Call, tmp_path: Path) -> None:
    code, out, err = call("doctor", "--json", "--runs-dir", tmp_path / "new" / "runs")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert facts["imdb-tui"] == __version__
    assert facts["sources"].keys() == {"tokenizer", "weights", "reviews"}
    assert facts["engine"]["memory"].endswith(")")
    assert facts["runs"].endswith("runs (writable)")
    assert not (tmp_path / "new").exists()


def test_doctor_tests_whether_the_runs_directory_is_writable_and_leaves_no_folder(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder, message in ((tmp_path / "new" / "runs", "writable"), (file, "not writable: File exists")):
        answer = json.loads(call("doctor", "--json", "--runs-dir", folder)[1])
        assert answer["runs"] == f"{folder} ({message})"
    assert list(tmp_path.iterdir()) == [file]


def test_the_version_is_printed(call: Call) -> None:
    assert call("--version") == (0, f"imdb-tui {__version__}\n", "")


def test_no_arguments_show_the_help(call: Call) -> None:
    for arguments, code in (((), 2), (("--help",), 0), (("train", "-h"), 0)):
        answer = call(*arguments)
        assert answer[0] == code
        assert "Usage: imdb-tui" in answer[1] + answer[2]
        assert "imdb-tui: " not in answer[2]
