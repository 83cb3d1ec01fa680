"""The version of both packages: the build reads it from here, and so do manifests and files."""

__version__ = "0.2.0.dev0"
