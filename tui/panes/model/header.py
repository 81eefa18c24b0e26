"""The two lines above the pages of Model: the open model, its origin, its size and its cost."""

from __future__ import annotations

from rich.text import Text

from core.config.schema import RunConfig, format_value
from core.formatting import memory, operations, printable
from core.inspection.target import Resolved
from core.model.flops import classifier_flops
from core.model.parameter_tree import leaves


def header_text(resolved: Resolved, config: RunConfig, original: RunConfig) -> Text:
    """Describe the open model; if ``config`` differs from ``original``, name the edits."""
    tree = resolved.tree
    tensors = sum(1 for _ in leaves(tree))
    batch, length = config.train.batch_size, config.data.max_length
    text = Text(f"{printable(resolved.target.name)}", style="bold", no_wrap=True, overflow="ellipsis")
    if config != original:
        edits = [format_value(config.model.encoder), *(f"freeze {name}" for name in config.model.freeze)]
        text.append(f" • edited: {printable(', '.join(filter(None, edits)) or config.model.init)}")
    text.append(f"  {printable(resolved.origin)}\n", style="not bold dim")
    trained = "all trained" if tree.trainable_count == tree.count else f"{tree.trainable_count:,} trained"
    parts = [f"{tree.count:,} parameters in {tensors} tensors", trained, memory(tree.bytes)]
    parts.append(f"{operations(classifier_flops(resolved.encoder, batch, length))} per batch of {batch} x {length}")
    text.append(" · ".join(parts), style="not bold")
    return text
