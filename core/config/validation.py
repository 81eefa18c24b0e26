"""Check one value of a configuration, and parse one that a user typed."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from core.errors import InputError

MOST_SHOWN = 60
"""Characters of a value in an error message."""


def check_value(value: Any, kind: Any, name: str, limits: Mapping[str, Any]) -> Any:
    """Return ``value`` as ``kind``, within ``limits``. Raises InputError with the field and the value."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} = {value!r} is not one of {', '.join(map(repr, get_args(kind)))}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
            raise InputError(f"{name} = {value!r} must be a list of texts")
        _check_encodable("".join(value), name)
        _check_items(value, name, limits)
        return tuple(value)
    assert not isinstance(kind, UnionType)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if type(value) is not kind:
        wanted = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]
        raise InputError(f"{name} = {value!r} must be {wanted}")
    if kind is str and not value.strip() and not (value == "" and limits.get("may_be_empty")):
        raise InputError(f"{name} is empty; it must be a text")
    if kind is str:
        _check_encodable(value, name)
    if kind in (int, float):
        _check_limits(value, name, limits)
    return value


def _check_encodable(text: str, name: str) -> None:
    """Refuse an argument that is not UTF-8: Python decodes it to surrogates, which TOML cannot store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name} = {text!r} is not valid UTF-8 and cannot be stored in a file") from None


def _check_items(items: Sequence[str], name: str, limits: Mapping[str, Any]) -> None:
    if len(items) > limits.get("most_items", math.inf):
        raise InputError(f"{name} has {len(items)} texts; at most {limits['most_items']} are allowed")
    for number, item in enumerate(items if "most_characters" in limits else (), start=1):
        if not item.strip():
            raise InputError(f"{name} = {list(items)!r}: text {number} is empty; remove it")
        if len(item) > limits["most_characters"]:
            most = limits["most_characters"]
            raise InputError(f"{name}: text {number} has {len(item):,} characters; at most {most:,} are allowed")


def _check_limits(value: float, name: str, limits: Mapping[str, Any]) -> None:
    shown = _cut(str(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} = {value} must be a finite number")
    if limits.get("above") is not None and value <= limits["above"]:
        raise InputError(f"{name} = {shown} must be greater than {limits['above']:.15g}")
    if limits.get("least") is not None and value < limits["least"]:
        raise InputError(f"{name} = {shown} must be at least {limits['least']:.15g}")
    if limits.get("most") is not None and value > limits["most"]:
        raise InputError(f"{name} = {shown} must be at most {limits['most']:.15g}")


def _cut(text: str) -> str:
    """The start of a long text, for a message of one line."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def parse_value(text: str, kind: Any, name: str) -> Any:
    """Parse a text as ``kind``. Raises InputError with the field and the text."""
    text = text.strip()
    if get_origin(kind) is tuple:
        return _parse_texts(text)
    if kind is bool:
        answer = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(text.lower())
        if answer is None:
            raise InputError(f"{name} = {text!r} must be true or false")
        return answer
    if kind in (int, float):
        try:
            # A comma may only group the thousands of a whole number: 0,5 is not 5.
            grouped = kind is int and re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text)
            return kind(text.replace(",", "") if grouped else text)
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise InputError(f"{name} = {_cut(text)!r} must be {wanted}") from None
    return text


def _parse_texts(text: str) -> tuple[str, ...]:
    """The texts of a TOML array, or the parts between commas."""
    if text.startswith("["):
        try:
            items = tomllib.loads(f"items = {text}")["items"]
        except (ValueError, RecursionError):
            items = None  # names without quotes
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(items)
    return tuple(part.strip().strip("\"'") for part in text.strip("[]").split(",") if part.strip())
