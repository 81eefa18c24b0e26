"""A configuration with an old field or value is refused, and the message gives the new one."""

from __future__ import annotations

import pytest

from core.config.schema import RunConfig, configure
from core.config.toml_file import from_toml
from core.errors import InputError

OLD = [
    ("model", "architecture", '["n_layers=2"]', "model.architecture is now the table [model.encoder]"),
    ("engine", "layout", '"padded"', "engine.layout is now engine.forward"),
    ("engine", "encodings", '"kept"', "engine.encodings was removed: reviews are encoded at the start of each run"),
    ("engine", "dropout", '"lanes"', "engine.dropout = 'lanes' is now 'fast'"),
    ("engine", "memory", '"kept"', "engine.memory = 'kept' is now 'reuse'"),
    ("engine", "memory", '"returned"', "engine.memory = 'returned' is now 'release'"),
]


@pytest.mark.parametrize(("section", "field", "value", "message"), OLD)
def test_an_old_name_is_refused_with_the_new_one(section: str, field: str, value: str, message: str) -> None:
    with pytest.raises(InputError) as in_file:
        from_toml(f"[{section}]\n{field} = {value}\n", preset="own", where="own.toml")
    typed = value.strip('"')
    with pytest.raises(InputError) as on_command_line:
        configure(RunConfig(), [f"{section}.{field}={typed}"], None)
    assert str(in_file.value).startswith(f"own.toml: {message}")
    assert message in str(on_command_line.value)
    assert str(in_file.value).isprintable()


@pytest.mark.parametrize("text", ["forward=padded", "dropout=fast", "memory=reuse", "memory=release"])
def test_the_new_names_are_accepted(text: str) -> None:
    field, _, value = text.partition("=")
    assert getattr(configure(RunConfig(), [f"engine.{text}"], None).engine, field) == value
