"""The pages of the tokenizer playground; each shows one :class:`tui.tokenizer_pages.state.Playground`."""
