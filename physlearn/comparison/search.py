"""Hyperparameter search with Optuna, with the same budget for each variant."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
from tqdm.auto import tqdm

from physlearn.activations import Activation, get
from physlearn.activations.description import content
from physlearn.comparison.search_database import using
from physlearn.jobs.digest import digest
from physlearn.jobs.lock import alone_in
from physlearn.jobs.workers import Workers
from physlearn.metalearning.metalearn import metalearn
from physlearn.tasks import Task
from physlearn.training import Training
from physlearn.training.ensemble import train_ensemble
from systems import InputError
from systems.atomic import atomically
from systems.extras import require

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, Trial

LEARNED = "learned"  # name of the variant whose activations are meta-learned in each trial
SEEDS = 2**32  # number of seeds that Optuna's sampler accepts
AT_ONCE = 4  # trials that are proposed together, so that the proposals do not depend on the number of workers


def search(
    task: Task,
    variants: Mapping[str, str | Activation] | Sequence[str],
    folder: str | os.PathLike[str],
    *,
    trials: int = 20,
    replicates: int = 6,
    seed: int = 0,
    space: Mapping[str, BaseDistribution] | None = None,
    workers: Workers | None = None,
    progress: bool = True,
    **training: Any,
) -> pd.DataFrame:
    """Search for the hyperparameters that suit each variant, and return one row per trial.

    Proposals come from Optuna's tree-structured Parzen estimator. They do not depend on where trials run.

    Parameters
    ----------
    task : Task
        What the networks learn.
    variants : mapping of str to str or Activation, or sequence of str
        Activations by name. ``"learned"`` meta-learns them anew in each trial.
    folder : path
        Receives ``search.db`` (SQLite), from which a search that was stopped resumes, and the table as ``trials.parquet``. A
        search with other settings is stored beside it.
    trials : int, default 20
        Number of trials per variant.
    replicates : int, default 6
        Number of networks per trial.
    seed : int, default 0
        Random seed of the networks and the proposals.
    space : mapping of str to BaseDistribution, optional
        The search space, instead of ``search_space.NETWORKS`` and, for learned activations, ``search_space.ACTIVATIONS``.
    workers : Workers, optional
        Where trials run; by default, in this process.
    progress : bool, default True
        Whether to show a progress bar.
    **training
        Settings of `~physlearn.training.Training` that replace those of the task.

    Returns
    -------
    DataFrame
        One row per trial: ``variant``, ``trial``, ``loss``, ``diverged`` (how many networks diverged), and the
        hyperparameters. The loss is the median over the networks of the lowest loss on the tuning part, and infinite if any
        network diverged.

    Raises
    ------
    InputError
        If a setting is unknown, or another run is working in the folder.
    MissingExtraError
        If Optuna, of the extra ``search``, is not installed.
    OSError
        If the trials cannot be stored.

    References
    ----------
    T. Akiba et al., "Optuna: A next-generation hyperparameter optimization framework", KDD 2019.
    """
    optuna = require("optuna", "search", "searching hyper-parameters")
    from physlearn.comparison.search_space import ACTIVATIONS, NETWORKS

    named = dict(variants) if isinstance(variants, Mapping) else {name: name for name in variants}
    if not named or trials < 1 or replicates < 1:
        raise InputError(
            f"a search needs at least one variant, one trial and one replicate, not {len(named)}, {trials} and {replicates}"
        )
    for activation in named.values():
        if activation != LEARNED:
            get(activation)
    if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
        raise InputError(f"search has no setting {unknown[0]!r}; besides its own, it takes those of Training")
    if unknown := sorted(set(space or {}) - set(NETWORKS) - set(ACTIVATIONS)):
        raise InputError(
            f"the search space has no hyperparameter {unknown[0]!r}; there are {', '.join([*NETWORKS, *ACTIVATIONS])}"
        )
    how = replace(task.training, **training)
    planned = []  # before a file is made, as a task may have impossible settings
    for name, activation in named.items():
        searched = dict(space) if space is not None else {**NETWORKS, **(ACTIVATIONS if activation == LEARNED else {})}
        label = f"{task.name}/{name}/{_identity(task, activation, how, replicates, seed, searched)}"
        planned.append(
            (name, activation, searched, label)
        )  # before the database is made, as a task may have impossible settings
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = []
    bar = tqdm(total=len(named) * trials, disable=not progress, unit="trial", leave=False)
    with alone_in(path), using(path / "search.db"), bar:
        storage = optuna.storages.RDBStorage(f"sqlite:///{path / 'search.db'}")
        for name, activation, searched, label in planned:
            study = optuna.create_study(storage=storage, study_name=label, load_if_exists=True)
            bar.set_description(f"searching on {task.name}, {name}")
            _go_on(study, trials, task, activation, how, replicates, seed, searched, workers or Workers(), bar)
            for number, trial in enumerate(_complete(study)[:trials]):
                told = {"variant": name, "trial": number, "loss": trial.value, "diverged": study.user_attrs[_diverged(trial)]}
                rows.append({**told, **trial.params})
        table = pd.DataFrame(rows)
        with atomically(path / "trials.parquet") as temporary:
            table.to_parquet(temporary)
    return table


def best(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trial with the lowest loss of each variant.

    Parameters
    ----------
    table : DataFrame
        The result of `search`.

    Returns
    -------
    DataFrame
        One row per variant.
    """
    return table.loc[table.groupby("variant", sort=False)["loss"].idxmin()].set_index("variant")


def evaluate(
    task: Task, activation: str | Activation, training: Training, replicates: int, seed: int, values: Mapping[str, Any]
) -> tuple[float, int]:
    """Return the loss of a trial, and how many of its networks diverged."""
    chosen = dict(values)
    width, rate = chosen.pop("width", None), chosen.pop("learning_rate", training.learning_rate)
    if width is not None:
        task = replace(task, hidden=(width,) * len(task.hidden))
    if activation == LEARNED:
        activation = metalearn(task, seed=seed, progress=False, **chosen).mix
    seeds = [seed + k for k in range(replicates)]
    models = [task.network(activation, s) for s in seeds]
    how = replace(training, learning_rate=rate)
    history = train_ensemble(models, task.pairs("training"), task.pairs("tuning"), how, seeds, progress=False)
    losses = history.best.double().where(~history.diverged, math.inf)
    loss = float(losses.quantile(0.5)) if losses.isfinite().all() else math.inf
    return loss, int(history.diverged.sum())


def _go_on(
    study: optuna.Study,
    trials: int,
    task: Task,
    activation: str | Activation,
    training: Training,
    replicates: int,
    seed: int,
    searched: Mapping[str, BaseDistribution],
    workers: Workers,
    bar: tqdm[NoReturn],
) -> None:
    """Compute the missing trials. Trials that were running when a search was stopped are repeated with the same proposals."""
    from optuna.samplers import TPESampler

    done = len(_complete(study))
    bar.update(min(done, trials))
    while done < trials:
        study.sampler = TPESampler(seed=(seed + done) % SEEDS)  # the same in a resumed search
        asked = _proposed(study, min(AT_ONCE - done % AT_ONCE, trials - done), searched)
        units = [(task, activation, training, replicates, seed, trial.params) for trial in asked]
        results = dict(workers.each(evaluate, units))
        for number, trial in enumerate(asked):
            loss, diverged = results[number]
            study.set_user_attr(_diverged(trial), diverged)
            study.tell(trial.number, loss)
            bar.update()
        done += len(asked)


def _proposed(study: optuna.Study, number: int, searched: Mapping[str, BaseDistribution]) -> Sequence[Trial | FrozenTrial]:
    """Return trials to compute: the unfinished proposals of a stopped search if they are complete, and new ones otherwise."""
    from optuna.trial import TrialState

    left = study.get_trials(states=(TrialState.RUNNING,))
    if len(left) == number and all(set(trial.params) == set(searched) for trial in left):
        return left
    for trial in left:  # the search was stopped while it was proposing
        study.tell(trial.number, state=TrialState.FAIL)
    return [study.ask(dict(searched)) for _ in range(number)]


def _complete(study: optuna.Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(states=(TrialState.COMPLETE,))


def _diverged(trial: Trial | FrozenTrial) -> str:
    """Return the name under which the study stores how many networks of a trial diverged."""
    return f"diverged in {trial.number}"


def _identity(task: Task, activation: str | Activation, *settings: Any) -> str:
    """Return a digest of everything that determines the result of a search."""
    *plain, searched = (asdict(part) if isinstance(part, Training) else part for part in settings)
    data = task.describe("meta-training", "meta-validation", "training", "tuning")
    known = [data, content(activation), *plain, {name: repr(part) for name, part in searched.items()}]
    return digest(known)
