"""Jobs of each kind, submitted with the settings that they take."""

from collections.abc import Mapping, Sequence
from typing import Any

from client.http import Json
from client.jobs import Jobs
from client.models import Version


class Submissions:
    """Submits jobs. Each method returns the job as it was accepted, or raises as `Jobs.submit` does."""

    jobs: Jobs

    def train(
        self,
        architecture: str,
        dataset: str,
        model: str | None = None,
        *,
        task: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a training job and return it; the result becomes a new version of `model`.

        `task` is one of the architecture's, by default the first that suits the data set.
        """
        request: Json = {"kind": "train", "architecture": architecture, "dataset": dataset}
        request |= {name: value for name, value in (("model", model), ("task", task)) if value}
        request |= {"hyperparameters": dict(hyperparameters or {}), "training": dict(training or {})}
        return self.jobs.submit(request)

    def evaluate(
        self,
        model: str,
        dataset: str,
        *,
        version: Version = "latest",
        split: str = "test",
        hardest: int = 25,
        against: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that measures a version on a split of a labelled data set, and return it.

        It lists the `hardest` rows, and compares with the version `against`: `{"model": ..., "version": ...}`, of
        which the model is by default the same.
        """
        return self.jobs.submit(
            {
                "kind": "evaluate",
                "model": model,
                "version": version,
                "dataset": dataset,
                "split": split,
                "hardest": hardest,
                "against": None if against is None else dict(against),
            }
        )

    def infer(self, model: str, dataset: str, *, version: Version = "latest", output_format: str = "jsonl") -> Json:
        """Submit a job that predicts every sample of a data set into a file, and return it."""
        return self.jobs.submit(
            {
                "kind": "infer",
                "model": model,
                "version": version,
                "dataset": dataset,
                "output_format": output_format,
            }
        )

    def optimize(
        self,
        model: str,
        *,
        version: Version = "latest",
        variants: Sequence[str] = ("optimized", "fp16", "int8"),
        max_accuracy_loss: float = 0.01,
        calibration_samples: int = 256,
    ) -> Json:
        """Submit a job that makes smaller or faster files of a version, and return it.

        It keeps those that lose at most `max_accuracy_loss` of accuracy, or of R², on the held-out rows.
        """
        return self.jobs.submit(
            {
                "kind": "optimize",
                "model": model,
                "version": version,
                "variants": list(variants),
                "max_accuracy_loss": max_accuracy_loss,
                "calibration_samples": calibration_samples,
            }
        )

    def explain(
        self,
        model: str,
        *,
        version: Version = "latest",
        methods: Sequence[str] = ("saliency", "integrated_gradients"),
        dataset: str | None = None,
        split: str = "test",
        samples: int | Sequence[int] = 8,
        target: str | None = None,
        layer: str | None = None,
        seed: int = 0,
        deepdream: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that shows where a version's answers come from, and return it; its files are pictures.

        `samples` are rows of the split of the training's data set, or of `dataset`, or how many; `target` is the
        label that is explained, by default the predicted one; `layer` is for the methods that look at one.
        """
        return self.jobs.submit(
            {
                "kind": "explain",
                "model": model,
                "version": version,
                "methods": list(methods),
                "dataset": dataset,
                "split": split,
                "samples": samples if isinstance(samples, int) else list(samples),
                "target": target,
                "layer": layer,
                "seed": seed,
                "deepdream": dict(deepdream or {}),
            }
        )

    def cross_validate(
        self,
        architecture: str,
        dataset: str,
        method: str = "k_fold",
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Json:
        """Submit a job that estimates how well a configuration does on new rows, and return it.

        `options`: `folds`, `p`, `test_size`, `shuffle` and `seed`, as the method needs them.
        """
        body = {"kind": "cross_validate", "architecture": architecture, "dataset": dataset, "method": method, **options}
        return self._submit_fits(body, hyperparameters, training)

    def learning_curve(
        self,
        architecture: str,
        dataset: str,
        sizes: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 1.0),
        repeats: int = 3,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that trains on more and more rows, shares of them up to 1 or numbers, and return it."""
        body = {"kind": "learning_curve", "architecture": architecture, "dataset": dataset}
        return self._submit_fits(body | {"sizes": list(sizes), "repeats": repeats}, hyperparameters, training)

    def validation_curve(
        self,
        architecture: str,
        dataset: str,
        parameter: str,
        values: Sequence[Any],
        repeats: int = 1,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that trains with each value of a setting, such as `hyperparameters.degree`, and return it."""
        body = {"kind": "validation_curve", "architecture": architecture, "dataset": dataset, "parameter": parameter}
        return self._submit_fits(body | {"values": list(values), "repeats": repeats}, hyperparameters, training)

    def bias_variance(
        self,
        architecture: str,
        dataset: str,
        resamples: int = 20,
        seed: int = 0,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that divides the error into bias and variance by bootstrap samples, and return it."""
        body = {"kind": "bias_variance", "architecture": architecture, "dataset": dataset}
        return self._submit_fits(body | {"resamples": resamples, "seed": seed}, hyperparameters, training)

    def baseline(
        self,
        dataset: str,
        families: Sequence[str] | None = None,
        *,
        time_budget_seconds: float = 60.0,
        split: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> Json:
        """Submit a job that measures guesses, classical learners and an automated search, and return it.

        `families` are `random`, `classical` and `automl`, by default all that suit the data set; give the `split` of
        the trainings that they are to be compared with.
        """
        return self.jobs.submit(
            {
                "kind": "baseline",
                "dataset": dataset,
                "families": None if families is None else list(families),
                "time_budget_seconds": time_budget_seconds,
                "training": {} if split is None else {"split": dict(split)},
                "seed": seed,
            }
        )

    def diagnose(
        self,
        architecture: str,
        dataset: str,
        checks: Sequence[str] | None = None,
        *,
        folds: int = 5,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a job that finds out why a network does not learn, or that it does, and return it.

        `checks`, by default all: `data`, `initial_loss`, `overfit_batch`, `gradients`, `activations`, `updates`,
        `learning_rate`, `fit` and `label_noise`, which trains on so many `folds`.
        """
        body = {"kind": "diagnose", "architecture": architecture, "dataset": dataset, "folds": folds}
        body |= {} if checks is None else {"checks": list(checks)}
        return self._submit_fits(body, hyperparameters, training)

    def search(
        self,
        architecture: str | Sequence[str],
        dataset: str,
        model: str | None = None,
        *,
        strategy: str = "bayesian",
        trials: int | None = None,
        space: Mapping[str, Any] | None = None,
        metric: str | None = None,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Json:
        """Submit a search for the best hyperparameters and training settings, and return it.

        `space` by path: `{"training.l2": {"low": 1e-6, "high": 0.1, "log": True}, "training.batch_size": [16, 32]}`,
        by default what the architecture declares. `options`: `parallelism`, `objectives`, `configurations`, `pruner`,
        `folds`, `time_budget_seconds`, `max_failures`, `seed`, `refit`, `task` and `warm_start`.
        """
        names = architecture if isinstance(architecture, str) else list(architecture)
        body: Json = {"kind": "search", "architecture": names, "dataset": dataset, "strategy": strategy, **options}
        chosen = {"model": model, "trials": trials, "space": space, "metric": metric}
        body |= {name: value for name, value in chosen.items() if value is not None}
        return self._submit_fits(body, hyperparameters, training)

    def _submit_fits(
        self, body: Json, hyperparameters: Mapping[str, Any] | None, training: Mapping[str, Any] | None
    ) -> Json:
        settings = {"hyperparameters": dict(hyperparameters or {}), "training": dict(training or {})}
        return self.jobs.submit({**body, **settings})
