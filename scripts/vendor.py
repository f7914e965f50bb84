"""Compares a new upstream document with the vendored one, and puts it in its place.

Exit status: 0 nothing changed, 1 prose or additive changes, 2 breaking changes, 3 it cannot be read.
It says what upstream did; whether the document was written and how the contract tests went is in the report.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from attrs import evolve
from regenerate import GENERATED, OPENAPI, ROOT, regenerate

from pipeline.consequences import read_facade
from pipeline.errors import FlattenedError, PipelineError
from pipeline.fetching import fetch
from pipeline.flat import Difference, compare_words
from pipeline.package import replace_package
from pipeline.reading import read_page
from pipeline.report import EXIT, Report, Tests, unreadable_json, unreadable_lines
from pipeline.revision import install, named, revise
from pipeline.sources import read_sources

CONTRACT = Path("tests/contract")
PIPELINE_TESTS = CONTRACT / "regeneration"
"""They test these scripts with documents of their own, and would only cost time here."""


def vendor(source: str, *, name: str | None = None, check: bool = False) -> Report:
    """Compares, and unless told to check only, replaces document, digest and generated client together.

    Args:
        source: A path or an https URL.
        name: Which vendored document it replaces; by default its content tells.
        check: Write nothing.

    Raises:
        PipelineError: The document, or what is vendored, cannot be read; nothing was written.
    """
    content = fetch(source)
    revision = revise(read_sources(OPENAPI), read_page(content), name=name)
    report = Report(source=source, revision=revision, facade=read_facade(ROOT / "kling_facade"))
    if not revision.changes:
        return report
    with TemporaryDirectory() as scratch:
        trial = Path(scratch)
        install(revision, content, openapi=OPENAPI, into=trial / "openapi")
        try:
            if check:
                read_sources(trial / "openapi").bundled()
                return report
            regenerate(trial / "generated", openapi=trial / "openapi")
        except PipelineError as problem:
            return report if revision.stale else evolve(report, problem=problem)
        for path in (revision.source.path, "sources.toml"):
            shutil.copyfile(trial / "openapi" / path, OPENAPI / path)
        replace_package(trial / "generated", GENERATED)
    return report.after_writing(run_contract_tests())


def run_contract_tests() -> Tests:
    """Runs them in a process of their own, which imports the client that was just written."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(CONTRACT),
        "--confcutdir",
        str(CONTRACT),
        "--ignore",
        str(PIPELINE_TESTS),
    ]
    command += ["--quiet", "--tb=no", "-rfE", "--no-header", "-p", "no:cacheprovider"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(GENERATED)]),  # whatever checkout is installed
        "COLUMNS": "1000",  # pytest cuts its summary to the width of the terminal
    }
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return Tests(passed=run.returncode == 0, summary=lines[-1] if lines else "no output", failures=failures)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the report goes to stdout."""
    options = _parser().parse_args(arguments)
    try:
        report = vendor(options.source, name=options.name, check=options.check)
    except PipelineError as error:
        words = _words(error, options.name)
        if options.json:
            print(unreadable_json(options.source, error, words))
        else:
            print(*unreadable_lines(options.source, error, words), sep="\n")
        return EXIT["unreadable"]
    print(report.as_json() if options.json else "\n".join(report.lines()))
    return report.status


def _words(error: PipelineError, name: str | None) -> tuple[str, list[Difference]] | None:
    """Of a flattened page: the vendored document that it is most like, and where they part."""
    if not isinstance(error, FlattenedError):
        return None
    sources = read_sources(OPENAPI)
    candidates = [named(sources, name)] if name else sources.documents
    compared = [(source.path, compare_words(sources.document(source), error.text)) for source in candidates]
    return min(compared, key=lambda pair: len(pair[1]))


class _Parser(argparse.ArgumentParser):
    """The usual exit status for a misspelt option is 2, which here means a breaking change."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT["unreadable"], f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a file or an https address: JSON, YAML, or a page in markdown")
    parser.add_argument("--check", action="store_true", help="only report; write nothing")
    parser.add_argument("--json", action="store_true", help="report for machines")
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="the vendored document it replaces, as image-to-video"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
