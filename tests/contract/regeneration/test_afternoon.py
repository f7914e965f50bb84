"""What a maintainer sees and does when upstream allows more, or less."""

from collections.abc import Callable
from pathlib import Path

from contract.regeneration.copies import copy_project, edit, run, vendor
from contract.regeneration.edits import halve, offer_more


def test_an_afternoon_of_a_maintainer(tmp_path: Path, page: Callable[..., str]) -> None:
    project = copy_project(tmp_path / "project")
    edit(project / "tests/contract/test_instances.py", "max_examples=1000", "max_examples=10")
    source = page(offer_more)
    ask = (
        "from kling_facade.inputs import check_inputs\n"
        "print(check_inputs('p', duration=15, sound=True, callback_url=None))"
    )

    first = vendor(project, source)
    assert first.returncode == 1
    assert "image-to-video against" in first.stdout
    assert "additive (0 breaking, 2 additive, 0 prose); written" in first.stdout
    assert "facade: inputs.DURATIONS must follow" in first.stdout
    assert "facade: generated code only" in first.stdout
    assert "contract tests: 1 failed" in first.stdout
    failures = [line for line in first.stdout.splitlines() if "FAILED" in line]
    assert len(failures) == 1
    assert "test_constants.py::test_durations_are_the_documented_ones" in failures[0]
    assert "inputs.DURATIONS is not what the document says" in failures[0]
    refused = run(project, "-c", ask)
    assert "InvalidInputError: duration: 5 or 10 seconds, not 15" in refused.stderr

    teach_fifteen(project / "kling_facade/inputs.py")
    followed = [f"tests/contract/test_{name}.py" for name in ("constants", "models", "documents")]
    tests = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *followed)
    assert tests.returncode == 0, tests.stdout
    assert "duration='15'" in run(project, "-c", ask).stdout
    assert vendor(project, source).returncode == 0


def teach_fifteen(module: Path) -> None:
    """What the maintainer writes."""
    edit(module, '"5", "10"', '"5", "10", "15"')


def test_a_halved_limit_is_breaking_and_its_constant_is_named(
    project: Path, page: Callable[..., str]
) -> None:
    result = vendor(project, page(halve))
    assert result.returncode == 2
    assert "/properties/prompt/maxLength\n    1000 is now 500\n" in result.stdout
    assert "facade: inputs.PROMPT_MAX must follow" in result.stdout
    [failure] = [line for line in result.stdout.splitlines() if "FAILED" in line]
    assert "test_prompt_max_is_the_documented_one" in failure
    assert "inputs.PROMPT_MAX is not what the document says" in failure
