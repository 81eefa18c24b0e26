"""Attribution by occlusion: how the logit changes when a word is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from core.analysis.attribution import TOKENS_AT_ONCE, Attribution, CheckCancelled, OnProgress, WordEffect, read
from core.analysis.text_words import TextWord
from core.tokenization.encode import Encoding

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from core.analysis.scorer import Scorer

Replace = Literal["remove", "mask"]


def occlusion(
    scorer: Scorer,
    text: str,
    replace: Replace = "remove",
    check_cancelled: CheckCancelled = lambda: None,
    on_progress: OnProgress = lambda _, __: None,
) -> Attribution:
    """The effect of a word: the logit of the text minus its logit without the word.

    ``remove`` takes the tokens of the word out, so that what follows moves up; ``mask`` puts [MASK] in the place of
    each. A removed only word leaves [UNK], as an empty review in training. One forward pass per word. The effects need
    not sum to the logit. Source: M. D. Zeiler and R. Fergus, Visualizing and Understanding Convolutional Networks, ECCV
    2014; J. Li et al., Understanding Neural Networks through Representation Erasure, arXiv:1612.08220.

    Raises InputError for a text without words.
    """
    encoding, words = read(scorer, text)
    rows = variants(scorer.resolved.tokenizer, encoding, words, replace)

    def after_batch(done: int) -> None:
        check_cancelled()
        on_progress(done, len(rows))

    batch_size = max(1, TOKENS_AT_ONCE // len(encoding.input_ids))
    logit, *others = scorer.logits(rows, after_batch, batch_size=batch_size)
    return attribution_of(encoding, words, logit, others, "mask" if replace == "mask" else "occlusion")


def variants(
    tokenizer: Tokenizer, encoding: Encoding, words: Sequence[TextWord], replace: Replace = "remove"
) -> list[list[int]]:
    """Token ids of the text, and then of the text without each of ``words``."""
    ids = encoding.input_ids
    unknown = tokenizer.token_to_id("[UNK]") or 0
    mask = tokenizer.token_to_id("[MASK]")
    substitute = mask if mask is not None else unknown
    rows = [ids]
    for word in words:
        hidden = set(word.positions)
        if replace == "mask":
            rows.append([substitute if i in hidden else id_ for i, id_ in enumerate(ids)])
        else:
            rows.append([id_ for i, id_ in enumerate(ids) if i not in hidden] or [unknown])
    return rows


def attribution_of(
    encoding: Encoding,
    words: Sequence[TextWord],
    logit: float,
    without: Sequence[float],
    method: Literal["occlusion", "mask"] = "occlusion",
) -> Attribution:
    """The attribution from the logits of :func:`variants`: of the text, and of the text ``without`` each word."""
    return Attribution(
        method,
        encoding.text,
        [
            WordEffect(word.text, word.start, word.end, logit - other)
            for word, other in zip(words, without, strict=True)
        ],
        logit,
        1 / (1 + math.exp(-logit)) if logit > -700 else 0.0,
        len(encoding.tokens),
        encoding.full_length,
        encoding.cut_from,
    )
