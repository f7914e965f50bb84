"""Writes generated/kling_api from the vendored documents, or checks that it is what they give."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import PipelineError
from pipeline.package import PACKAGE, check_tools, compare, replace_package, write_package
from pipeline.sources import read_sources

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "openapi"
GENERATED = ROOT / "generated"
SCRIPTS = Path(sys.executable).absolute().parent
SEEDS = ("0", "12345")
"""Two orders of every set in every process: output that depends on one would differ."""


def regenerate(folder: Path, *, openapi: Path = OPENAPI) -> None:
    """Writes the package into the folder, whole or not at all.

    Args:
        folder: Gets ``kling_api``, in place of the one that may be there.
        openapi: The folder of ``sources.toml``.

    Raises:
        PipelineError: Something is not as it was recorded; the folder is as it was.
    """
    sources = read_sources(openapi)
    check_tools(sources.tools, scripts=SCRIPTS)
    with TemporaryDirectory() as scratch:
        write_package(sources.bundled(), Path(scratch), scripts=SCRIPTS)
        replace_package(Path(scratch), folder)


def check() -> int:
    """Generates twice and compares both with each other and with what is committed; the exit status."""
    with TemporaryDirectory() as scratch:
        runs = [Path(scratch) / seed for seed in SEEDS]
        if not all(_run(folder, seed=folder.name) for folder in runs):
            return 1
        if unstable := list(compare(*runs)):
            return _report("two runs differ", unstable, "look for an order that depends on hashing")
        if stale := [f"generated/{line}" for line in compare(runs[0], GENERATED)]:
            remedy = "run scripts/regenerate.py, look at the difference, and commit it with its cause"
            return _report("generated/ is not what the documents give", stale, remedy)
    print("generated/ is what the documents give, byte for byte")
    return 0


def _run(folder: Path, *, seed: str) -> bool:
    """Regenerates in a process of its own, for the seed holds from its start; whether it went well."""
    command = [sys.executable, __file__, "--output", str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    return run.returncode == 0


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status is 0, or 1 with a remedy on stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--check", action="store_true", help="write nothing; exit 1 if generated/ is stale")
    where.add_argument(
        "--output", type=Path, default=GENERATED, metavar="FOLDER", help="write the package there"
    )
    options = parser.parse_args(arguments)
    if options.check:
        return check()
    try:
        regenerate(options.output)
    except PipelineError as error:
        return _report("nothing was written", [str(error)], error.remedy)
    print(f"wrote {options.output / PACKAGE}")
    return 0


def _report(title: str, lines: list[str], remedy: str) -> int:
    print(f"{title}:", *(f"  {line}" for line in lines), f"Remedy: {remedy}", sep="\n", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
