"""The version of this library, which builds, runs and exports carry."""

__version__ = "0.1.0"
