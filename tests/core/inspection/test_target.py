"""A name finds a preset, a checkpoint, a file or a DistilBERT."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.encoder_overrides import EncoderOverrides
from core.config.schema import ModelConfig, RunConfig
from core.errors import InputError
from core.inspection.target import find_target, in_shape_of, resolve
from tests.core.support.looking import preset_target, write_run
from tests.core.support.tiny import write_preset


@pytest.fixture
def root(tmp_path: Path, folder: Path) -> Path:
    """Two checkpoints of one run."""
    from core.inspection.weights import build_model

    one = preset_target(folder)
    state = build_model(one).state_dict()
    write_run(tmp_path / "runs", one.target.config, state, step=4)
    (tmp_path / "runs" / "20261124-090000-tiny" / "checkpoints" / "step-nonsense").mkdir()
    place = tmp_path / "runs" / "20261124-090000-tiny" / "checkpoints" / "step-12"
    place.mkdir()
    (place / "model.safetensors").write_bytes((place.parent / "step-4" / "model.safetensors").read_bytes())
    return tmp_path / "runs"


def test_a_preset_has_the_initial_weights_of_its_training(tmp_path: Path, folder: Path, root: Path) -> None:
    write_preset(tmp_path / "own-presets", source=folder, checkpoint=folder)
    target = find_target("tiny", root)
    assert (target.name, target.file, target.config.model.checkpoint) == ("tiny", None, str(folder))


def test_a_run_means_its_newest_checkpoint_or_the_named_one(root: Path) -> None:
    for name in ("last", "2026", "20261124-090000-tiny", str(root / "20261124-090000-tiny")):
        target = find_target(name, root)
        assert target.name == "20261124-090000-tiny@step-12"
        assert target.file == root / "20261124-090000-tiny" / "checkpoints" / "step-12" / "model.safetensors"
    for name in ("last@step-4", "last@4"):
        assert find_target(name, root).file.parent.name == "step-4"


def test_a_checkpoint_folder_and_its_file_have_the_configuration_of_their_run(root: Path, folder: Path) -> None:
    place = root / "20261124-090000-tiny" / "checkpoints" / "step-4"
    for path in (place, place / "model.safetensors"):
        target = find_target(str(path), root)
        assert target.file == place / "model.safetensors"
        assert target.config.model.checkpoint == str(folder)


def test_a_folder_of_save_pretrained_is_a_pretrained_model(folder: Path, root: Path) -> None:
    target = find_target(str(folder), root)
    assert (target.file, target.config.model) == (None, ModelConfig(checkpoint=str(folder)))
    file = find_target(str(folder / "model.safetensors"), root)
    assert (file.file, file.config.model.checkpoint) == (folder / "model.safetensors", str(folder))


def test_an_unknown_name_with_a_slash_is_looked_up_on_the_hub(root: Path) -> None:
    assert find_target("someone/distilbert", root).config.model.checkpoint == "someone/distilbert"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "empty"),
        ("nothing", "no run 'nothing'.*presets are quick, pretrained"),
        ("last@step-5", "has no checkpoint step-5; it has step-4, step-12"),
    ],
)
def test_an_unknown_name_is_refused_with_the_available_ones(root: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_target(name, root)


def test_a_run_without_a_checkpoint_and_an_empty_folder_are_refused(tmp_path: Path, root: Path) -> None:
    bare = root / "20261124-100000-bare"
    bare.mkdir()
    (bare / "config.toml").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="20261124-100000-bare has no checkpoint"):
        find_target("last", root)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is not a run, a checkpoint"):
        find_target(str(tmp_path / "empty"), root)
    (tmp_path / "alone.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="no configuration for these weights"):
        find_target(str(tmp_path / "alone.safetensors"), root)


def test_random_weights_take_the_shapes_of_the_compared_model(tmp_path: Path, folder: Path) -> None:
    from core.inspection.target import Target
    from tests.core.support.tiny import write_checkpoint

    wide = write_checkpoint(tmp_path / "wide", dim=24, hidden_dim=24)
    pretrained = preset_target(folder)
    scratch = resolve(Target("scratch", RunConfig(model=ModelConfig(init="scratch", checkpoint=str(wide)))))
    redrawn = in_shape_of(scratch, pretrained)
    assert redrawn is not None
    assert redrawn.encoder.dim == 16
    assert in_shape_of(pretrained, scratch) is None
    own = ModelConfig(init="scratch", checkpoint=str(wide), encoder=EncoderOverrides({"n_layers": 2}))
    assert in_shape_of(resolve(Target("own", RunConfig(model=own))), pretrained) is None
