"""Attribution by integrated gradients over the word embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from core.analysis.attribution import TOKENS_AT_ONCE, Attribution, CheckCancelled, OnProgress, WordEffect, read
from core.analysis.scorer import Scorer

if TYPE_CHECKING:
    from core.tokenization.encode import Encoding

STEPS = 32
"""Points of the quadrature; with as many, the completeness error is below 0.1 % of the change for film reviews."""


def integrated_gradients(
    scorer: Scorer,
    text: str,
    *,
    steps: int = STEPS,
    check_cancelled: CheckCancelled = lambda: None,
    on_progress: OnProgress = lambda _, __: None,
) -> Attribution:
    """The integral of the gradient along the line from a baseline text to ``text``, summed to words.

    The baseline has the embedding of [PAD] in the place of each token but the special ones, at the same positions. The
    effects sum to logit - base_logit, up to the completeness error of the Gauss-Legendre quadrature with ``steps``
    points. Computed with the padded model in float32, without dropout. Source: M. Sundararajan et al., Axiomatic
    Attribution for Deep Networks, ICML 2017.

    Raises InputError for a text without words.
    """
    encoding, words = read(scorer, text)
    by_token, logit, base_logit = token_attributions(scorer, encoding, steps, check_cancelled, on_progress)
    effects = [
        WordEffect(word.text, word.start, word.end, float(by_token[list(word.positions)].sum())) for word in words
    ]
    return Attribution(
        "integrated-gradients",
        encoding.text,
        effects,
        logit,
        float(torch.tensor(logit).sigmoid()),
        len(encoding.tokens),
        encoding.full_length,
        encoding.cut_from,
        base_logit,
        float(by_token.sum()) - (logit - base_logit),
    )


def token_attributions(
    scorer: Scorer,
    encoding: Encoding,
    steps: int = STEPS,
    check_cancelled: CheckCancelled = lambda: None,
    on_progress: OnProgress = lambda _, __: None,
) -> tuple[torch.Tensor, float, float]:
    """The attribution of each token, float64 [tokens] on the CPU, the logit, and the logit of the baseline."""
    import numpy as np

    device = scorer.engine.device
    words = scorer.model.distilbert.get_input_embeddings()
    pad = scorer.resolved.tokenizer.token_to_id("[PAD]") or 0
    ids = torch.tensor(encoding.input_ids, device=device)
    base_ids = torch.tensor([pad if token.start < token.end else token.id for token in encoding.tokens], device=device)
    with torch.no_grad():
        end, start = words(ids).float(), words(base_ids).float()  # [tokens, dim]
        logit, base_logit = (float(_logits(scorer, each[None]).item()) for each in (end, start))
    points, weights = np.polynomial.legendre.leggauss(steps)
    points, weights = (points + 1) / 2, weights / 2  # from [-1, 1] to [0, 1]
    summed = torch.zeros_like(end)
    size = max(1, TOKENS_AT_ONCE // len(ids))
    for first in range(0, steps, size):
        check_cancelled()
        at = torch.tensor(points[first : first + size], dtype=torch.float32, device=device)[:, None, None]
        along = (start + at * (end - start)).requires_grad_()
        (gradient,) = torch.autograd.grad(_logits(scorer, along).sum(), along)
        share = torch.tensor(weights[first : first + size], dtype=torch.float32, device=device)
        summed += torch.einsum("s,std->td", share, gradient)
        on_progress(min(first + size, steps), steps)
    by_token: torch.Tensor = ((end - start) * summed).double().sum(-1).cpu()
    return by_token, logit, base_logit


def _logits(scorer: Scorer, embedded: torch.Tensor) -> torch.Tensor:
    """Word embeddings, float32 [texts, tokens, dim], to logits [texts]."""
    mask = torch.ones(embedded.shape[:2], dtype=torch.long, device=embedded.device)
    encoder: Any = scorer.model.distilbert
    hidden = encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
    return scorer.model.logits_of(hidden[:, 0])
