"""P6 to P8 and P17: what it costs before the first request, and on disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from statistics import median

import httpx

from benchmarks.measuring import Rounds, Row, at_most
from kling_facade import Kling
from kling_facade.http import SyncHTTP
from kling_facade.settings import Connecting, read_settings

STATEMENTS = {
    "bare": "pass",
    "httpx": "import httpx",
    "package": "import kling_facade",
    "callbacks": "import kling_facade.callbacks",
    "raw client": "import httpx; httpx.Client()",
    "client": "from kling_facade import Kling; Kling('key')",
    "client that has connected": "from kling_facade import Kling; Kling('key')._io._http._client(kept=True)",
    "runwayml": "import runwayml; runwayml.RunwayML(api_key='key')",
}
MB = 1024 * 1024
_STANDARD = "typing alone, which every typed package loads, is about a third of it"


def rows() -> list[Row]:
    """P6 to P8 and P17."""
    rounds = _cpu(STATEMENTS, rounds=15)
    package, callbacks = rounds.ratio("package", "httpx"), rounds.ratio("callbacks", "httpx")
    ready, connected = (
        rounds.ratio("client", "raw client"),
        rounds.ratio("client that has connected", "raw client"),
    )
    to_runway = rounds.ratio("client that has connected", "runwayml")
    lazily = "the SSL context is made at the first request"
    why = "attrs writes and compiles the methods of some thirty classes; asyncio is loaded too"
    return [
        at_most("P6", "import kling_facade / import httpx, CPU", package, 0.35),
        at_most(
            "P6b", "import kling_facade.callbacks / import httpx, CPU", callbacks, 0.35, remark=_STANDARD
        ),
        at_most("P7", "import and Kling() / import httpx and Client(), CPU", ready, 1.20, remark=lazily),
        at_most(
            "P7", "the same, with the HTTP client that the first request makes", connected, 1.20, remark=why
        ),
        at_most("P7", "the same / runwayml", to_runway, 0.40, remark=why),
        _second_client(),
        _size(),
    ]


def _cpu(statements: dict[str, str], *, rounds: int) -> Rounds:
    """CPU seconds, user and system, of fresh interpreters; the bare one's are taken off."""
    costs: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(rounds):
        for name, statement in statements.items():
            process = subprocess.Popen([sys.executable, "-c", statement])
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, statement
            costs[name].append(usage.ru_utime + usage.ru_stime)
    bare = median(costs["bare"])
    return Rounds({name: [max(cost - bare, 1e-4) for cost in each] for name, each in costs.items()})


def _second_client() -> Row:
    """In a process of its own the first client pays for the SSL context; here all of that is done before."""
    settings = read_settings("key")
    first = median(_timed(httpx.Client) for _ in range(9))
    Kling("key").close()
    SyncHTTP(settings, Connecting())._client(kept=True)

    def another() -> None:
        kling = Kling("key")
        kling._io._http._client(kept=True)
        kling.close()

    second = median(_timed(another) for _ in range(31))
    return at_most(
        "P8",
        "a second client / the first",
        second / first,
        0.05,
        remark="the first: httpx.Client() without a shared context",
    )


def _timed(act: object) -> float:
    assert callable(act)
    began = time.process_time()
    act()
    return time.process_time() - began


def _size() -> Row:
    """Of the core's wheel contents and of everything it needs, as installed, without bytecode."""
    names = _needed("httpx") | _needed("attrs") | _needed("python-dateutil")
    here = Path(__file__).resolve().parent.parent
    own = _folder(here / "kling_facade") + _folder(here / "generated" / "kling_api")
    total = (own + sum(map(_installed, names))) / MB
    figure = f"{total:.1f} MB, {len(names)} packages; own code {own / MB:.2f} MB"
    return Row(
        "P17",
        "installed size and dependencies",
        figure,
        "<= 3 MB, <= 10",
        total <= 3 and len(names) <= 10,
        "python-dateutil 4 brings tzdata, 0.6 MB",
    )


def _needed(name: str) -> set[str]:
    found = {name}
    for requirement in distribution(name).requires or []:
        if ";" not in requirement:
            match = re.match(r"[\w.-]+", requirement)
            assert match
            try:
                found |= _needed(match[0])
            except PackageNotFoundError:
                found.add(match[0])
    return found


def _installed(name: str) -> int:
    files = distribution(name).files or []
    return sum(f.locate().stat().st_size for f in files if f.suffix != ".pyc" and f.locate().exists())


def _folder(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sum(path.stat().st_size for path in files)
