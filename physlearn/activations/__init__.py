"""Activation functions."""

from physlearn.activations.named import Activation, get, names, register

__all__ = ["Activation", "get", "names", "register"]
