"""Every private name of torch that this project uses, one function each; read from torch 2.13.0.

torch may change a private name in any release, so pyproject.toml caps torch below 3. Each docstring says what the
name buys and which public function would replace it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def cpu_bfloat16_unit() -> str:
    """Name the CPU's hardware for bfloat16 matrix products; empty where bfloat16 would only be emulated.

    Buys the automatic choice of bfloat16 on such a CPU. ``torch.cpu.get_capabilities`` is the public function, but it
    is newer than the oldest torch that pyproject.toml allows.
    """
    if torch.cpu._is_amx_tile_supported():
        return "AMX tiles"
    return "AVX512-BF16" if torch.cpu._is_avx512_bf16_supported() else ""


def copy_all(targets: Sequence[torch.Tensor], sources: Sequence[torch.Tensor]) -> None:
    """Copy each source into the target at the same index, converting dtypes.

    Buys one kernel launch on a GPU for all tensors of a layer, instead of one per tensor. There is no public function
    for a list of tensors.
    """
    torch._foreach_copy_(list(targets), list(sources))


def varlen_flash_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cu_seqlens: torch.Tensor,
    max_seqlen: int,
    *,
    dropout: float,
    scale: float,
) -> torch.Tensor:
    """Attention within each of several concatenated sequences, on a CUDA GPU in bfloat16.

    ``query``, ``key`` and ``value`` are [tokens, heads, head width], ``cu_seqlens`` int32 [sequences + 1]. Buys
    unpadded training on a GPU. The public ``torch.nn.attention.varlen.varlen_attn`` has no dropout, and nested tensors
    use a much slower kernel.
    """
    out: torch.Tensor = torch.ops.aten._flash_attention_forward(
        query, key, value, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, dropout, False, False, scale=scale
    )[0]
    return out


def skip_updates_if(optimizer: torch.optim.Optimizer, found_inf: torch.Tensor) -> None:
    """Make a fused optimizer skip its update while ``found_inf``, a scalar on its device, is 1.

    Buys a CUDA graph that leaves the weights alone after a loss that is not finite, without waiting for the GPU.
    ``torch.amp.GradScaler`` sets the same attribute, but reads the value back to the host in each step.
    """
    optimizer.found_inf = found_inf  # type: ignore[attr-defined]
