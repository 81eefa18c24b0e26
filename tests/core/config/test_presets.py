"""The shipped presets have the described settings; own presets are listed, saved and refused without side effects."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.presets import SHIPPED_ORDER, list_presets, load_preset, own_presets_folder, save_preset
from core.config.schema import DataConfig, EngineConfig, ModelConfig, RunConfig, TrainConfig, differences
from core.config.toml_file import to_toml
from core.errors import InputError


def own(name: str, text: str | bytes) -> Path:
    folder = own_presets_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("name", "learning_rate"), [("scratch", 5e-5), ("pretrained", 5e-6)])
def test_scratch_and_pretrained_have_the_settings_of_the_notebook(name: str, learning_rate: float) -> None:
    config = load_preset(name)
    assert config.model == ModelConfig(init=name, checkpoint="distilbert-base-uncased", head_dropout=0.0, freeze=())
    assert config.data == DataConfig(
        source="auto",
        dataset="scikit-learn/imdb",
        n_samples=2000,
        test_size=0.2,
        max_length=256,
        add_special_tokens=False,
    )
    assert config.train == TrainConfig(
        batch_size=16,
        num_epochs=3,
        learning_rate=learning_rate,
        adam_epsilon=1e-8,
        weight_decay=0.01,
        warmup_ratio=0.0,
        lr_schedule="constant",
        max_grad_norm=0.0,
        reshuffle_each_epoch=False,
        seed=0,
    )
    assert config.engine == EngineConfig()


def test_the_frozen_preset_trains_only_the_head() -> None:
    assert load_preset("frozen").model == ModelConfig(init="pretrained", freeze=("distilbert",))


def test_the_improved_preset_fixes_the_quirks_with_the_same_reviews_and_steps() -> None:
    assert differences([load_preset("pretrained"), load_preset("improved")]) == {
        "model.head_dropout": [0.0, 0.3],
        "data.add_special_tokens": [False, True],
        "train.learning_rate": [5e-6, 5e-5],
        "train.warmup_ratio": [0.0, 0.1],
        "train.lr_schedule": ["constant", "linear"],
        "train.max_grad_norm": [0.0, 1.0],
        "train.reshuffle_each_epoch": [False, True],
    }


def test_shipped_presets_come_first_and_have_descriptions() -> None:
    presets = list_presets()
    assert tuple(preset.name for preset in presets) == SHIPPED_ORDER
    for preset in presets:
        assert preset.config is not None
        assert not preset.own
        assert preset.config.preset == preset.name
        assert preset.config.title
        assert len(preset.config.description.split()) > 10


def test_own_presets_are_listed_by_name_after_the_shipped_ones() -> None:
    own("zebra.toml", "title = 'Z'")
    own("ant.toml", "[train]\nseed = 7")
    own("notes.txt", "no preset")
    presets = list_presets()
    assert [preset.name for preset in presets[len(SHIPPED_ORDER) :]] == ["ant", "zebra"]
    assert all(preset.own for preset in presets[len(SHIPPED_ORDER) :])
    assert load_preset("ant").train.seed == 7


def test_an_own_preset_replaces_a_shipped_one_with_the_same_name() -> None:
    own("scratch.toml", "[train]\nseed = 7")
    assert [preset.name for preset in list_presets()] == list(SHIPPED_ORDER)
    assert load_preset("scratch").train.seed == 7


def test_an_own_preset_is_named_after_its_file() -> None:
    own("copy.toml", to_toml(load_preset("scratch")))
    assert load_preset("copy").preset == "copy"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"[train", "not valid TOML"),
        (b"[train]\nlearning_rate = -1.0", "train.learning_rate = -1.0"),
        (b"[train]\nspeed = 1", "unknown key train.speed"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_an_invalid_preset_is_listed_with_its_error(content: bytes, error: str) -> None:
    path = own("broken.toml", content)
    own("fine.toml", "")
    presets = {preset.name: preset for preset in list_presets()}
    assert set(presets) == {*SHIPPED_ORDER, "broken", "fine"}
    broken = presets["broken"]
    assert broken.config is None
    assert broken.error.startswith(str(path))
    assert error in broken.error
    assert "\n" not in broken.error
    with pytest.raises(InputError) as caught:
        load_preset("broken")
    assert str(caught.value) == broken.error


def test_a_folder_named_like_a_preset_is_listed_with_an_error() -> None:
    (own_presets_folder() / "folder.toml").mkdir(parents=True)
    presets = {preset.name: preset for preset in list_presets()}
    assert "cannot be read" in presets["folder"].error


def test_an_unknown_preset_is_refused_with_the_available_ones() -> None:
    with pytest.raises(InputError, match=r"no preset 'Scrtch'; available are .*scratch, .*; did you mean scratch\?"):
        load_preset("Scrtch")


def test_a_saved_preset_loads_equal() -> None:
    config = load_preset("improved").set("train.seed", 3).set("model.freeze", "distilbert.embeddings, linear")
    path = save_preset(config, "my-1.0_b")
    assert path.parent == own_presets_folder()
    assert differences([config, load_preset("my-1.0_b")]) == {}
    assert load_preset("my-1.0_b").preset == "my-1.0_b"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["", " ", "../up", "a/b", ".hidden", "-x", "naïve", "a" * 41, "a\n", "a b", "a\0"])
def test_an_invalid_preset_name_is_refused_and_nothing_is_written(name: str) -> None:
    with pytest.raises(InputError, match="is not a valid preset name"):
        save_preset(RunConfig(), name)
    assert not own_presets_folder().exists()


@pytest.mark.parametrize("name", ["scratch", "mine"])
def test_a_taken_name_is_refused_without_overwrite(name: str) -> None:
    save_preset(RunConfig(), "mine")
    with pytest.raises(InputError, match=f"already a preset '{name}'"):
        save_preset(RunConfig().set("train.seed", 5), name)
    save_preset(RunConfig().set("train.seed", 5), name, overwrite=True)
    assert load_preset(name).train.seed == 5


def test_an_unwritable_folder_is_reported_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("IMDB_TUI_PRESETS", str(tmp_path / "file" / "presets"))
    assert [preset.name for preset in list_presets()] == list(SHIPPED_ORDER)
    with pytest.raises(InputError, match=r"cannot save the preset as .*mine\.toml \(Not a directory\)"):
        save_preset(RunConfig(), "mine")
