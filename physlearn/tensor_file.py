"""What was learned, on disk: a safetensors file that carries its settings as JSON and a checksum of both. No pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from physlearn.schema import shown
from systems import InputError
from systems.atomic import atomically
from systems.json_ready import json_ready

KEY = "physlearn"
FORMAT = 1  # what is asked for again; a file that does not tell is of the first


def write(path: str | os.PathLike[str], kind: str, settings: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write the file, whole or not at all. kind: what it holds, asked for again when it is read."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = {"format": FORMAT, "kind": kind, "settings": json_ready(settings)}
    # One entry: the order of several would differ from run to run, and with it the bytes of equal files.
    metadata = {KEY: json.dumps({**content, "sha256": _checksum(json.dumps(content), tensors)})}
    with atomically(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, metadata=metadata))


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and tensors, on the CPU.

    Raises FileNotFoundError, or InputError for a truncated file, one of another kind, program or format, or a changed one.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # copies: what is mapped from the file would change with it, after its checksum was found right
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as error:
        raise InputError(f"{path} is no whole safetensors file; it may be truncated ({shown(error)})") from error
    if KEY not in metadata:
        raise InputError(f"{path} was not written by physlearn: its header has no entry {KEY!r}")
    with understood(path):
        content = dict(json.loads(metadata[KEY]))
    checksum = content.pop("sha256", None)
    if checksum != _checksum(json.dumps(content), tensors):
        raise InputError(f"{path} was changed after it was written: its checksum does not match")
    if (newer := content.get("format", FORMAT)) != FORMAT:
        raise InputError(f"{path} has the format {newer!r:.80}, and this version of physlearn reads {FORMAT}; update it")
    if content.get("kind") != kind:
        raise InputError(f"{path} holds a {shown(content.get('kind'))}, not a {kind}")
    with understood(path):
        return dict(content["settings"]), tensors


@contextmanager
def understood(path: str | os.PathLike[str]) -> Iterator[None]:
    """Inside, settings of a file are made into what they describe; raises InputError where they describe nothing.

    A checksum tells that a file is as it was written, not that it was written by this program.
    """
    try:
        yield
    except InputError as error:
        raise type(error)(f"{path}: {shown(error)}") from error
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError, MemoryError) as error:
        raise InputError(f"{path} does not hold what physlearn writes ({type(error).__name__}: {shown(error)})") from error


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)  # NumPy has no bfloat16
    return digest.hexdigest()
