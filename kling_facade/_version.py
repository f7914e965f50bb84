"""The version, known without asking the installation."""

__version__ = "0.1.0"
