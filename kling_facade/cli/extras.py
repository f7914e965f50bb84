"""What must be installed for a part of the command, and how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from kling_facade.errors import ConfigurationError

_MODULES = {
    "cli": ("rich", "typer"),
    "sandbox": ("av", "jsonschema", "python_multipart", "starlette", "uvicorn"),
}


def require(extra: str) -> None:
    """Returns if all modules of an extra can be imported.

    Raises:
        ConfigurationError: one is missing; says what to install.
    """
    missing = [name for name in _MODULES[extra] if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"This needs packages that are not installed here ({', '.join(missing)}). "
            f"Install them with: pip install 'kling-facade[{extra}]'"
        )
