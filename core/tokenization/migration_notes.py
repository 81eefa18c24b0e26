"""Calls of the lab notebook that changed in transformers 5, and what to write instead."""

from __future__ import annotations

MIGRATION_NOTES = (
    (
        "tokenizer.encode(tok)",
        "a list is now a batch of texts; use convert_tokens_to_ids(tok) for tokens, "
        "or tokenizer.encode(text) for a text, with [CLS] and [SEP]",
    ),
    ("tokenizer.ids_to_tokens[i]", "removed; use convert_ids_to_tokens(ids)"),
    ("tokenizer.encode_plus(text)", "removed; use tokenizer(text), which returns input_ids and attention_mask"),
    (
        "pad(…, max_length=256)",
        "max_length has no effect with padding='longest', which pads to the longest text of the batch",
    ),
)
