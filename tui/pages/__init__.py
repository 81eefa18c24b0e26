"""The pages of the tokenizer playground; each shows one :class:`tui.pages.state.Playground`."""
