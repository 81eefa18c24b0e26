"""What the lab notebook wrote with an older transformers, and what it is called in transformers 5."""

from __future__ import annotations

OLD_WAYS = (
    (
        "tokenizer.encode(tok)",
        "a list is several texts now, one row of ids each; for tokens: convert_tokens_to_ids(tok), "
        "or tokenizer.encode(text) for text to ids with [CLS] and [SEP]",
    ),
    ("tokenizer.ids_to_tokens[i]", "gone; convert_ids_to_tokens(ids) turns ids into tokens"),
    ("tokenizer.encode_plus(text)", "gone; tokenizer(text) gives input_ids and attention_mask"),
    ("pad(…, max_length=256)", "has no effect beside padding='longest', which pads to the longest of the batch"),
)
