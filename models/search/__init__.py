"""Hyperparameter search: what a trial trains with, when it is given up, and what a search has found.

Optuna suggests and prunes. Every trial rebuilds the study in its own process from the history that it is given, so that
no process holds a search while its trials run.
"""
