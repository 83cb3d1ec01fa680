"""Files of learned results: safetensors with the settings as JSON and a checksum of both. Pickle is not used."""

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
FORMAT = 1  # version of the format; a file that does not state one has version 1


def write(path: str | os.PathLike[str], kind: str, settings: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write the file atomically. ``kind`` names its content, and `read` must be called with the same kind."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = {"format": FORMAT, "kind": kind, "settings": json_ready(settings)}
    # A single entry, because the order of several would differ from run to run, and equal files would differ in their bytes.
    metadata = {KEY: json.dumps({**content, "sha256": _checksum(json.dumps(content), tensors)})}
    with atomically(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors, metadata=metadata))


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the settings and the tensors (on the CPU) of a file.

    Raises FileNotFoundError if there is no file, and InputError if it is truncated, was changed after it was written, or is of
    another kind, program or format.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # copies, because memory-mapped tensors would change with the file after its checksum was verified
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as error:
        raise InputError(f"{path} is not a complete safetensors file; it may be truncated ({shown(error)})") from error
    if KEY not in metadata:
        raise InputError(f"{path} was not written by physlearn; its header has no entry {KEY!r}")
    with understood(path):
        content = dict(json.loads(metadata[KEY]))
    checksum = content.pop("sha256", None)
    if checksum != _checksum(json.dumps(content), tensors):
        raise InputError(f"{path} was changed after it was written; its checksum does not match")
    if (newer := content.get("format", FORMAT)) != FORMAT:
        raise InputError(f"{path} has format {newer!r:.80}, but this version of physlearn reads {FORMAT}; update physlearn")
    if content.get("kind") != kind:
        raise InputError(f"{path} is of the kind '{shown(content.get('kind'))}', but the kind '{kind}' is needed")
    if unknown := content.keys() - {"format", "kind", "settings"}:
        raise InputError(f"{path} has the unknown entry '{shown(min(unknown))}' in its header; write it again")
    with understood(path):
        return dict(content["settings"]), tensors


@contextmanager
def understood(path: str | os.PathLike[str]) -> Iterator[None]:
    """Return a context in which settings of a file are interpreted; errors in it are raised as InputError with the path.

    The checks are needed because a matching checksum does not prove that this program wrote the file.
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
