"""Print the views of ``imdb-tui model`` as tables."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from core.cli.console import out
from core.formatting import EIGHTHS, memory, operations, printable, relative_change
from core.model.parameter_tree import short_name

MOST_ROWS = 30


def show(name: str, answer: Any) -> None:
    """Print one view."""
    _VIEWS[name](answer)


def _table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", no_wrap=heading in right)
    return table


def _config(fields: Any) -> None:
    group = ""
    for field in fields:
        if field.group != group:
            group = field.group
            scope = "task-specific" if field.task_specific else "task-agnostic"
            out.print(Text(f"{group}, {scope}", style="bold"))
        value = f"{field.value}" + (f" (default {field.default})" if field.differs else "")
        out.print(f"  {printable(field.name):<24} {printable(value)}", soft_wrap=True)
        out.print(Text(f"  {'':<24} {field.meaning}", style="dim"), soft_wrap=True)


def _classes(classes: Any) -> None:
    for one in classes:
        out.print(Text(one.name, style="bold"), soft_wrap=True)
        out.print(f"  {one.purpose}", soft_wrap=True)
        out.print(
            f"  adds {one.added:,} parameters in {one.tensors} tensors: {', '.join(one.modules) or 'nothing'}",
            soft_wrap=True,
        )
        for name in one.shared:
            out.print(f"  {name} is shared with the encoder", soft_wrap=True)
        shapes = [f"{name} {list(shape)}" for name, shape in one.outputs.items()]
        out.print(f"  input_ids {list(one.inputs['input_ids'])} → {', '.join(shapes)}", soft_wrap=True)


def _params(tree: Any) -> None:
    table = _table("module", "shape", "parameters", "share", "memory", "", right=("parameters", "share", "memory"))
    _add(table, tree, tree, 0)
    out.print(table)
    out.print(f"{tree.count:,} parameters, {tree.trainable_count:,} trained; {memory(tree.bytes)}, {tree.dtype}")


def _add(table: Table, node: Any, root: Any, depth: int) -> None:
    shape = "x".join(map(str, node.shape)) if node.shape is not None else ""
    table.add_row(
        Text(" " * depth + printable(node.name), no_wrap=True),
        f"{shape} {node.dtype}" if shape and node.dtype != root.dtype else shape,
        f"{node.count:,}",
        f"{node.count / root.count:.2%}",
        memory(node.bytes),
        "" if node.state == "trained" else node.state,
    )
    for child in node.children:
        _add(table, child, root, depth + 1)


def _tensor(found: Any) -> None:
    for name, value in found.summary():
        out.print(f"{name:<10} {printable(value)}", soft_wrap=True)
    if found.bins:
        most = max(found.bins)
        bars = "".join(EIGHTHS[-(-count * 8 // most)] for count in found.bins)
        out.print(f"histogram  {found.min:.3g} {bars} {found.max:.3g}", soft_wrap=True)


def _nearest(found: Any) -> None:
    table = _table("token", "id", "cosine", right=("id", "cosine"))
    for row in found:
        table.add_row(printable(row.token), str(row.id), f"{row.cosine:.3f}")
    out.print(table)


def _diff(found: Any) -> None:
    out.print(
        f"from {printable(found.a)} to {printable(found.b)}: {found.changed} of {len(found.tensors)} tensors differ"
    )
    if not found.changed:
        return
    layers = found.by_layer()
    table = _table("layer", "relative change", "", right=("relative change",))
    longest = max((value for value in layers.values() if value != float("inf")), default=0.0)
    for layer, value in layers.items():
        share = min(value / longest, 1.0) if longest else 0.0
        table.add_row(layer, relative_change(value), "█" * round(share * 40))
    out.print(table)
    table = _table("tensor", "relative L2", "cosine", right=("relative L2", "cosine"))
    for row in found.tensors[:MOST_ROWS]:
        table.add_row(printable(row.name), relative_change(row.relative_l2), f"{row.cosine:.6f}")
    out.print(table)
    if len(found.tensors) > MOST_ROWS:
        out.print(f"… and {len(found.tensors) - MOST_ROWS} that changed less; --json shows all", soft_wrap=True)


def _trace(found: Any) -> None:
    table = _table("module", "shape", "mean", "std", "ms", "FLOP", "MB", right=("mean", "std", "ms", "FLOP", "MB"))
    table.padding = (0, 1, 0, 0)  # so that the longest name fits in 80 columns
    for row in found.rows:
        table.add_row(
            Text(short_name(row.module) + (" ◀" if row.note else ""), no_wrap=True),
            Text("x".join(map(str, row.shape)), no_wrap=True),
            f"{row.mean:.2g}",
            f"{row.std:.2g}",
            f"{row.seconds * 1e3:.3g}",
            operations(row.flops).removesuffix("FLOP") if row.flops else "",
            f"{row.bytes / 1e6:.3g}",
        )
    out.print(table)
    dtypes = ", ".join(sorted({row.dtype for row in found.rows}))
    out.print(f"{dtypes}; {operations(found.flops)} in total; {found.padding:.0%} of the positions are padding")
    for row in found.rows:
        if row.note:
            out.print(f"◀ {row.module}: {row.note}", soft_wrap=True)


def _attention(answer: Any) -> None:
    found, layer, head = answer
    which = "mean of all heads" if head is None else f"head {head}"
    out.print(f"layer {layer}, {which}, from position 0; logit {found.logit:.3f}", soft_wrap=True)
    table = _table("position", "token", "weight", "", right=("position", "weight"))
    row = found.matrix(layer, head)[0]
    for token, weight in zip(found.encoding.tokens, row, strict=True):
        table.add_row(
            str(token.position), printable(token.token), f"{weight:.4f}", "█" * round(float(weight / row.max()) * 30)
        )
    out.print(table)


_VIEWS = {
    "config": _config,
    "classes": _classes,
    "params": _params,
    "tensor": _tensor,
    "nearest": _nearest,
    "diff": _diff,
    "trace": _trace,
    "attention": _attention,
}
