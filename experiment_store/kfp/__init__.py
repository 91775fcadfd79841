"""Kubeflow's ExperimentService on any store, as an ASGI application (extra ``server``)."""

from experiment_store.kfp.app import create_app
from experiment_store.kfp.authorization import (
    Authorize,
    BearerTokens,
    Identity,
    Verb,
    read_tokens,
)
from experiment_store.kfp.failures import unauthenticated

__all__ = [
    "Authorize",
    "BearerTokens",
    "Identity",
    "Verb",
    "create_app",
    "read_tokens",
    "unauthenticated",
]
