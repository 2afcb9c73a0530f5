"""What is wrong with a settings file: one line, in the words of somebody who writes TOML."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

# What a value must be, by pydantic's name of the fault; {…} are the limits it was checked against.
_WORDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": 'text in quotes, like "this"',
    "too_short": "{min_length} or more",
    "list_type": 'a list in brackets, like ["this", "that"]',
    "dict_type": "a table",
    "model_type": "a table",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}",
}


def first_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a file that was read as this model: key, value, what is allowed."""
    faults = error.errors()
    # A key that is misspelt is missing too: what stands in the file is said.
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    kind, given = fault["type"], fault["input"]
    fields, field = _known(model, fault["loc"])
    where, key = _split(fields)
    if kind == "extra_forbidden":
        where, key = _split(fault["loc"])
        allowed = ", ".join(sorted(field.model_fields))
        return f"{where}unknown key {key!r}; allowed here: {allowed}"
    if kind == "missing" and len(fields) == len(fault["loc"]):
        return f"{where}{key} is missing"
    if kind == "list_type" and isinstance(given, dict):
        return f"{where}{key} wants two brackets, once for each: [[{key}]]"
    if kind == "model_type" and isinstance(given, list):
        return f"{where}{key} wants one bracket: [{key}]"
    words = _WORDS.get(kind) or _numbers(field) or fault["msg"]
    wanted = _choices(field) or words.format(**fault.get("ctx", {}))
    if kind == "value_error":
        wanted = str(fault["ctx"]["error"])
        if isinstance(given, dict) and key:  # of the table as a whole
            return f"{where}{key}: {wanted}"
    shown = "a table" if isinstance(given, dict) else repr(given)  # a password may stand in one
    return f"{where}{key} = {shown}: {wanted}" if key else f"{where}{wanted}"


def _numbers(kind: Any) -> str:
    """Several numbers that belong together: how many, and how they are written; "" for others."""
    if get_origin(kind) is not tuple:
        return ""
    if len(get_args(kind)) == 2:
        return "two numbers in brackets, like [960, 960]"
    return "four numbers from 0 to 1 in brackets, like [0, 0, 0.5, 1]"


def _known(model: type[BaseModel], path: Sequence[int | str]) -> tuple[list[int | str], Any]:
    """A fault's path without what pydantic adds to it (which kind of a union was tried, which of a
    pair's numbers is meant), and how the last field of it is declared."""
    found: list[int | str] = []
    kind: Any = model
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if part not in kind.model_fields:
                break
            kind = kind.model_fields[str(part)].annotation
        elif get_origin(kind) is list and isinstance(part, int):
            kind = get_args(kind)[0]
            if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
                break
        elif get_origin(kind) is dict and path[-1] != "[key]":
            kind = get_args(kind)[1]
        else:
            break
        found.append(part)
    return found, kind


def _split(path: Sequence[int | str]) -> tuple[str, str]:
    """Which of several tables, counted from one, and the key in it: ("scene 2: ", "seconds")."""
    last = max((at for at, part in enumerate(path) if isinstance(part, int)), default=-1)
    words = [str(part + 1) if isinstance(part, int) else part for part in path]
    table = [f" {w}" if isinstance(p, int) else f".{w}" for p, w in zip(path, words, strict=True)]
    return "".join(table[: last + 1])[1:] + (": " if last >= 0 else ""), ".".join(words[last + 1 :])


def _choices(kind: Any) -> str:
    """What a field of several kinds takes: true, false, "offset" or "sign"; "" for any other."""
    if get_origin(kind) not in (Union, types.UnionType) or bool not in get_args(kind):
        return ""
    texts = [f'"{text}"' for one in get_args(kind) if get_origin(one) is Literal
             for text in get_args(one)]  # fmt: skip
    return ", ".join(["true", "false", *texts[:-1]]) + f" or {texts[-1]}" if texts else ""
