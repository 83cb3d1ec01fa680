"""Activation functions."""

from physlearn.activations.named import Activation, derivative, get, names, register

__all__ = ["Activation", "derivative", "get", "names", "register"]
