"""Ensembles: many networks that train together, each independently of the others."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.models import Learner
from physlearn.models.stack import shape_of
from physlearn.training import fused_engine
from physlearn.training.course import NEW, Course, shuffled
from physlearn.training.fused_engine import FusedEngine
from physlearn.training.pairs import Pairs
from physlearn.training.torch_engine import TorchEngine
from physlearn.training.train import check_validation, diverged, prepare, train
from physlearn.training.train_settings import Training
from systems import InputError, UnknownNameError
from systems.autograd_mode import recorded
from systems.scalars import seeded

EngineName = Literal["auto", "torch", "fused"]
ENGINES = ("auto", "torch", "fused")
MEMORY = {"cpu": 2**28, "cuda": 2**32}  # bytes of neuron outputs that one chunk of networks may hold
TENSORS = 12  # approximate number of tensors of neuron outputs in one step


@dataclass(frozen=True)
class EnsembleHistory:
    """Training history of R networks, in the order in which they were given.

    Attributes
    ----------
    training : shape ``(epochs, R)``
        Mean loss over the batches of each epoch.
    validation : shape ``(epochs, R)``
        Loss after each epoch; NaN without validation data.
    steps : int
        Number of steps per epoch.
    best : shape ``(R,)``
        Loss of the weights that were kept.
    diverged : shape ``(R,)``
        Which networks diverged.
    stopped : shape ``(R,)``
        Number of epochs that each network trained; later losses repeat its last one.
    seconds : shape ``(epochs,)``
        Time since the start, for all networks together [s].
    engines : tuple of str
        Name of the engine that trained each network.
    training_physical, validation_physical : shape ``(epochs, R)``, float64, optional
        Unweighted losses in the units of the data, if these differ from the losses that are minimised.
    """

    training: Float[Tensor, "epochs R"]
    validation: Float[Tensor, "epochs R"]
    steps: int
    best: Float[Tensor, " R"]
    diverged: Bool[Tensor, " R"]
    stopped: Tensor
    seconds: Float[Tensor, " epochs"]
    engines: tuple[str, ...]
    training_physical: Float[Tensor, "epochs R"] | None = None
    validation_physical: Float[Tensor, "epochs R"] | None = None

    def frame(self) -> pd.DataFrame:
        """Return a table with one row per epoch and network."""
        epochs, networks = self.training.shape
        index = pd.MultiIndex.from_product([range(epochs), range(networks)], names=["epoch", "network"])
        columns = {"training": self.training, "validation": self.validation}
        return pd.DataFrame({name: value.flatten().numpy() for name, value in columns.items()}, index=index)


def train_ensemble(
    models: Sequence[Learner],
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seeds: Sequence[int],
    *,
    learning_rates: Sequence[float] | None = None,
    engine: EngineName = "auto",
    progress: bool = True,
    course: Course = NEW,
) -> EnsembleHistory:
    """Train networks in place on the same pairs; up to rounding, each ends as `~physlearn.training.train` would leave it.

    Networks of the same shape are stacked and train together; their activations may differ in their tables only. If the loss
    of a network is no longer finite, its training ends and it is marked as diverged; the others are not affected. The
    caller's autograd mode does not matter.

    Parameters
    ----------
    models, pairs, validation, training
        Networks, training data, validation data and training settings.
    seeds
        Seed of the shuffles of each network.
    learning_rates
        Learning rate of each network; defaults to that of ``training``.
    engine
        ``"fused"`` uses compiled loops on the CPU, for networks of any depth and for spline networks with one hidden layer;
        ``"torch"`` works for any model and device; and ``"auto"`` uses the fused engine if it applies.
    progress
        Whether to show a progress bar.
    course
        Whether the training resumes an earlier one, and who watches it, with the mean losses of networks that train together.

    Raises
    ------
    InputError
        If the numbers of networks, seeds and learning rates differ, the engine does not apply, or the scales of the data
        overflow their type.
    """
    rates = [training.learning_rate] * len(models) if learning_rates is None else list(learning_rates)
    if not models or not len(models) == len(seeds) == len(rates):
        raise InputError(
            f"{len(models)} networks need one seed and one learning rate each, but there are {len(seeds)} seeds and "
            f"{len(rates)} learning rates"
        )
    if wrong := [rate for rate in rates if not rate > 0]:
        raise InputError(f"learning rates must be positive, not {wrong[0]}")
    if engine not in ENGINES:
        raise UnknownNameError.of("no engine", engine, ENGINES)
    for model in models:
        if not list(model.parameters()):
            raise InputError(f"the model {model.name} has no weights to train: fit it by least squares, with its method solve")
    with recorded():
        return _train_all(models, pairs, validation, training, seeds, rates, engine, progress, course)


def _train_all(
    models: Sequence[Learner],
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seeds: Sequence[int],
    rates: Sequence[float],
    engine: EngineName,
    progress: bool,
    course: Course,
) -> EnsembleHistory:
    for model in models:
        prepare(model, pairs, course)
    groups: dict[str, list[int]] = {}
    for k, model in enumerate(models):
        groups.setdefault(str(shape_of(model)), []).append(k)
    chunks = [chunk for group in groups.values() for chunk in _chunks(group, models[group[0]], training)]
    what = f"training {models[0].name}" if len(models) == 1 else "training networks"
    bar = tqdm(total=len(models) * training.epochs, disable=not progress, desc=what, unit="epoch", leave=False)
    parts = []
    with bar:
        for chunk in chunks:
            members, own = [models[k] for k in chunk], ([seeds[k] for k in chunk], [rates[k] for k in chunk])
            parts.append(_train(members, pairs, validation, training, *own, engine, bar, course))
    return _joined(parts, chunks)


def _chunks(group: list[int], model: Learner, training: Training) -> list[list[int]]:
    widest = max(max(parameter.shape) for parameter in model.parameters())
    memory = MEMORY.get(next(model.parameters()).device.type, MEMORY["cpu"])
    size = max(1, memory // (TENSORS * training.batch_size * widest * 4))
    return [group[i : i + size] for i in range(0, len(group), size)]


def _train(
    models: Sequence[Learner],
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seeds: Sequence[int],
    learning_rates: Sequence[float],
    engine: EngineName,
    bar: tqdm[NoReturn],
    course: Course,
) -> EnsembleHistory:
    start = time.perf_counter()
    fused = engine != "torch" and fused_engine.applies(models, pairs, training.clip)
    if engine == "fused" and not fused:
        raise InputError(
            "the fused engine needs fully connected networks, or spline networks with one hidden layer, with a compiled "
            "activation and in float32 on the CPU: use engine='auto' or 'torch'"
        )
    engine_ = FusedEngine(models, pairs, training) if fused else TorchEngine(models, pairs, training)
    device, dtype = pairs.z.device, pairs.z.dtype
    shuffles = [seeded(seed) for seed in seeds]
    for shuffle in shuffles:
        course.skip(pairs, shuffle)
    steps = math.ceil(len(pairs) / training.batch_size)
    first = torch.tensor(learning_rates, dtype=dtype, device=device).unsqueeze(1)
    best = torch.full((len(models),), torch.inf, dtype=dtype, device=device)
    best_epoch = torch.full((len(models),), -1)
    best_weights = engine_.weights
    going = torch.ones(len(models), dtype=torch.bool)
    diverged = torch.zeros(len(models), dtype=torch.bool)
    stopped = torch.full((len(models),), training.epochs)
    counting = course.counting(pairs, training)
    if course.earlier is not None and validation is not None:
        best = engine_.evaluate(validation).sum(-1).to(dtype)
    rows: dict[str, list[Tensor]] = {"training": [], "validation": []}
    physical: dict[str, list[Tensor]] = {"training": [], "validation": []}

    told = ("training",) if validation is None else ("training", "validation")

    def note(name: str, parts: Tensor, losses: Tensor) -> None:
        rows[name].append(losses.cpu())
        if (converted := counting.in_data_units(parts)) is not None:
            physical[name].append(converted if converted.ndim == 1 else converted.mean(1))

    seconds = []
    for epoch in range(training.epochs):
        order = torch.stack([shuffled(pairs, shuffle) for shuffle in shuffles]).to(device)
        falling = [training.learning_rate_at(epoch * steps + i, training.epochs * steps) for i in range(steps)]
        parts = engine_.epoch(order, first * torch.tensor(falling, dtype=dtype, device=device))
        losses = parts.sum(-1).to(dtype)
        note("training", parts, losses.mean(1))
        if validation is None:
            rows["validation"].append(torch.full((len(models),), torch.nan, dtype=dtype))
            best, best_weights = losses.mean(1), engine_.weights
        else:
            parts = engine_.evaluate(validation).where(engine_.alive.unsqueeze(1), torch.nan)
            reached = parts.sum(-1).to(dtype)
            note("validation", parts, reached)
            better = (reached < best) & going.to(device)
            best = torch.where(better, reached, best)
            best_weights = torch.where(better.unsqueeze(1), engine_.weights, best_weights)
            best_epoch[better.cpu()] = epoch
        diverged |= going & ~engine_.alive.cpu()
        seconds.append(time.perf_counter() - start)
        bar.update(len(models))
        if course.watch is not None:
            engine_.hand_back(models)
            row = {"learning_rate": float(first.mean()) * falling[0]}
            row |= {name: float(losses[-1].double().mean()) for name, losses in rows.items() if name in told}
            row |= {f"{name}_physical": float(losses[-1].mean()) for name, losses in physical.items() if losses}
            if course.ended_by(row, models):
                stopped[going] = epoch + 1
                break
        if training.patience is not None and validation is not None:
            tired = going & (epoch - best_epoch >= training.patience)
            stopped[tired] = epoch + 1
            going = going & ~tired
            if not going.any():
                bar.update(len(models) * (training.epochs - epoch - 1))
                break
    engine_.load(best_weights)
    engine_.hand_back(models)
    return EnsembleHistory(
        training=torch.stack(rows["training"]),
        validation=torch.stack(rows["validation"]),
        steps=steps,
        best=best.cpu(),
        diverged=diverged,
        stopped=stopped,
        seconds=torch.tensor(seconds),
        engines=(engine_.name,) * len(models),
        **{f"{name}_physical": torch.stack(losses) for name, losses in physical.items() if losses},
    )


def _joined(parts: Sequence[EnsembleHistory], chunks: Sequence[Sequence[int]]) -> EnsembleHistory:
    """Merge the histories of chunks into one, in the order in which the networks were given."""
    order = torch.tensor([k for chunk in chunks for k in chunk]).argsort()
    epochs = max(len(part.seconds) for part in parts)

    def held(name: str) -> Tensor | None:
        columns = []
        for part in parts:
            if (x := getattr(part, name)) is None:
                return None
            columns.append(x.gather(0, torch.arange(epochs).unsqueeze(1).minimum(part.stopped - 1)))
        return torch.cat(columns, dim=1)[:, order]

    engines = [name for part in parts for name in part.engines]
    return EnsembleHistory(
        **{name: held(name) for name in ("training", "validation", "training_physical", "validation_physical")},  # type: ignore[arg-type]
        steps=parts[0].steps,
        best=torch.cat([part.best for part in parts])[order],
        diverged=torch.cat([part.diverged for part in parts])[order],
        stopped=torch.cat([part.stopped for part in parts])[order],
        seconds=torch.stack([part.seconds[torch.arange(epochs).clamp(max=len(part.seconds) - 1)] for part in parts]).sum(0),
        engines=tuple(engines[k] for k in order),
    )


def train_single(
    model: Learner,
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seed: int = 0,
    progress: bool = True,
    course: Course = NEW,
) -> pd.DataFrame:
    """Train one model as `~physlearn.training.train` does, up to rounding, but by the compiled loops where they apply.

    The first training after an installation compiles the loops, which takes ten to twenty seconds.
    """
    if course.loss is not None or not fused_engine.applies([model], pairs, training.clip):
        return train(model, pairs, validation, training, seed, progress, course)
    history = train_ensemble([model], pairs, validation, training, [seed], engine="fused", progress=progress, course=course)
    return _of_one(history, 0, training, validation is not None)


def _of_one(history: EnsembleHistory, k: int, training: Training, validated: bool) -> pd.DataFrame:
    """Return the history of one network as `~physlearn.training.train` does. Raises IntegrationError if it diverged."""
    if history.diverged[k]:
        finite = int(torch.isfinite(history.training[:, k]).sum())
        raise diverged(min(finite, training.epochs - 1))  # in the last step, only the gradient may be non-finite
    if validated:
        check_validation(float(history.best[k]))
    epochs, steps = int(history.stopped[k]), history.steps
    shares = [training.learning_rate_at(epoch * steps, training.epochs * steps) for epoch in range(epochs)]
    frame = pd.DataFrame({"learning_rate": [training.learning_rate * share for share in shares]})
    for name in ("training", "validation") if validated else ("training",):
        for column in (name, f"{name}_physical"):
            if (values := getattr(history, column)) is not None:
                frame[column] = values[:epochs, k].double().numpy()
    return frame.rename_axis("epoch")


def train_members(
    models: Sequence[Learner],
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seed: int,
    progress: bool,
    course: Course = NEW,
) -> list[pd.DataFrame]:
    """Train the members of an ensemble, whose seeds follow ``seed``, and return the history of each.

    With a loss of the user's own, which may not take stacked rates, they train one after the other.

    Raises IntegrationError if the training of one of them diverges.
    """
    seeds = [seed + k for k in range(len(models))]
    if len(models) == 1 or course.loss is not None:
        each = zip(models, seeds, strict=True)
        return [train_single(model, pairs, validation, training, own, progress, course) for model, own in each]
    history = train_ensemble(models, pairs, validation, training, seeds, progress=progress, course=course)
    return [_of_one(history, k, training, validation is not None) for k in range(len(models))]
