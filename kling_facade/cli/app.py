"""The commands."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kling_facade import __version__
from kling_facade.cli import exits, options, steps
from kling_facade.cli.callbacks import callbacks
from kling_facade.cli.documents import describe_task, printable, spell_task
from kling_facade.cli.journals import describe_submission, spell_submission
from kling_facade.cli.options import Seconds
from kling_facade.cli.services import configured, local, start_sandbox
from kling_facade.cli.talk import talking
from kling_facade.errors import ConfigurationError
from kling_facade.journal import Journal

WAIT = 900.0  # seconds

app = typer.Typer(
    name="kling",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,  # it shows local variables, the key among them
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(callbacks, name="callbacks")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        typer.echo(f"kling {__version__}")
        raise typer.Exit


@app.callback(epilog=exits.HELP)
def start(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Makes videos out of pictures with Kling 2.6, through Apikley.

    The API key is read from the environment variable APIKLEY_API_KEY. To try things out without a key and
    without paying, add `--sandbox` to `kling generate`.
    """


@app.command()
def generate(
    image: options.Image,
    prompt: options.Prompt,
    *,
    output: options.Output = None,
    duration: options.Duration = Seconds.FIVE,
    sound: options.Sound = False,
    callback_url: options.CallbackUrl = None,
    key: options.Key = None,
    journal: options.JournalPath = None,
    timeout: options.Timeout = WAIT,
    overwrite: options.Overwrite = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Use a stand-in on this machine: no key, no cost, not Kling.")
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a video: submit, wait, save; prints its path."""
    with talking(as_json=as_json, quiet=quiet) as talk:
        target = output or Path()
        steps.check_output(target, overwrite=overwrite)
        steps.check_key(key, journal)
        way = (
            local(talk, image, journal=journal)
            if sandbox
            else configured("add --sandbox to this command.", journal=journal)
        )
        with way as service:
            deadline = service.now() + timeout
            with steps.submitting(talk, service):
                task = service.kling.submit(
                    image,
                    prompt,
                    duration=duration.number,
                    sound=sound,
                    callback_url=callback_url,
                    key=key,
                    timeout=timeout,
                )
            steps.keep_track(talk, task.id, target=target, overwrite=overwrite, lasting=service.lasting)
            talk.say(f"task {task.id} is submitted")
            left = max(deadline - service.now(), 0.001)
            video = steps.wait(talk, service, task, timeout=left)
            path = steps.save(talk, video, target, overwrite=overwrite)
        document = {"path": str(path), "url": video.url, "sandbox": sandbox}
        talk.result(str(path), describe_task(video.status) | document)


@app.command()
def submit(
    image: options.Image,
    prompt: options.Prompt,
    *,
    duration: options.Duration = Seconds.FIVE,
    sound: options.Sound = False,
    callback_url: options.CallbackUrl = None,
    key: options.Key = None,
    journal: options.JournalPath = None,
    timeout: options.Turn = WAIT,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Start a video and leave; prints the id of the task."""
    with talking(as_json=as_json, quiet=quiet) as talk:
        steps.check_key(key, journal)
        with configured(journal=journal) as service, steps.submitting(talk, service):
            task = service.kling.submit(
                image,
                prompt,
                duration=duration.number,
                sound=sound,
                callback_url=callback_url,
                key=key,
                timeout=timeout,
            )
        talk.result(printable(task.id), {"task_id": task.id, "submission_id": task.submission_id})


@app.command()
def wait(
    task_id: options.TaskId,
    *,
    output: options.Output = None,
    timeout: options.Timeout = WAIT,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Wait for a task; prints the video's link, or with -o saves it and prints its path."""
    with talking(as_json=as_json, quiet=quiet) as talk:
        steps.check_output(output, overwrite=overwrite)
        with configured() as service:
            task = service.kling.task(task_id)
            steps.keep_track(talk, task.id, target=output, overwrite=overwrite)
            video = steps.wait(talk, service, task, timeout=timeout)
            document = describe_task(video.status) | {"path": None, "url": video.url}
            if output is None:
                talk.result(video.url, document)
                return
            path = steps.save(talk, video, output, overwrite=overwrite)
            talk.result(str(path), document | {"path": str(path)})


@app.command("status")
def show_status(task_id: options.TaskId, *, as_json: options.Json = False) -> None:
    """Show what the service knows of a task now."""
    with talking(as_json=as_json) as talk, configured() as service:
        seen = service.kling.task(task_id).status()
        talk.result(spell_task(seen), describe_task(seen) | {"raw": seen.raw})


@app.command()
def download(
    task_id: options.TaskId,
    *,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Save the video of a task that has ended; prints its path."""
    output = output or Path()
    with talking(as_json=as_json, quiet=quiet) as talk:
        steps.check_output(steps.name_file(output, task_id), overwrite=overwrite)
        with configured() as service:
            task = service.kling.task(task_id)
            steps.keep_track(talk, task.id, target=output, overwrite=overwrite)
            video = steps.take(task)
            path = steps.save(talk, video, output, overwrite=overwrite)
            document = {"path": str(path), "url": video.url}
            talk.result(str(path), describe_task(video.status) | document)


@app.command()
def upload(image: options.Image, *, as_json: options.Json = False) -> None:
    """Upload a picture, free of charge; prints its link."""
    with talking(as_json=as_json) as talk, configured() as service:
        url = service.kling.upload(image)
        talk.result(url, {"url": url})


@app.command("credits")
def show_credits(*, as_json: options.Json = False) -> None:
    """Print the credits that the account has left."""
    with talking(as_json=as_json) as talk, configured() as service:
        left = service.kling.credits()
        talk.result(f"{left:.15g}", {"credits": left})


@app.command()
def recover(
    *,
    journal: options.JournalPath = None,
    adopt: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="SUBMISSION TASK", help="Say which task an uncertain submission became."),
    ] = None,
    forget: Annotated[
        str | None, typer.Option(metavar="SUBMISSION", help="Drop a submission; it can be bought again.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List what the journal knows to be submitted or uncertain; sends nothing and needs no key."""
    with talking(as_json=as_json) as talk:
        if journal is None:
            raise ConfigurationError("Which journal? Give --journal PATH, or set KLING_JOURNAL.")
        if not journal.exists():
            raise ConfigurationError(f"There is no journal {str(journal)!r}.")
        book = Journal(journal)
        if adopt is not None:
            book.adopt(*adopt)
        if forget is not None:
            book.forget(forget)
        entries = book.submissions()
        text = "\n".join(map(spell_submission, entries)) or "Nothing was submitted."
        talk.result(text, {"submissions": [describe_submission(entry) for entry in entries]})


@app.command("sandbox")
def serve_sandbox(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8787,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    speed: Annotated[
        float, typer.Option(min=0.01, help="How many times faster than real its time runs.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Of everything that happens by chance.")] = 0,
    balance: Annotated[
        float, typer.Option("--credits", help="What the account holds at the start.")
    ] = 10_000.0,
    scenario: Annotated[
        str, typer.Option(help="What happens to tasks and calls: ordinary, stuck, moderated, flaky, …")
    ] = "ordinary",
    quirk: Annotated[
        list[str] | None, typer.Option(help="A reading of the API to speak instead; may be repeated.")
    ] = None,
    webhook_key: Annotated[str | None, typer.Option(help="Sign callbacks with this key.")] = None,
) -> None:
    """Serve a stand-in for the service on this machine until Ctrl-C.

    Prints lines to copy into another terminal, where every command will then talk to it. Its videos are
    a pan and zoom over the picture, not made by Kling.
    """
    with talking() as talk:
        sandbox = start_sandbox(
            host=host,
            port=port,
            speed=speed,
            seed=seed,
            credits=balance,
            scenario=scenario,
            quirks=quirk or (),
            webhook_key=webhook_key,
        )
        typer.echo(f"export APIKLEY_API_KEY={sandbox.api_key}")
        typer.echo(f"export APIKLEY_BASE_URL={sandbox.url}")
        typer.echo(f"export APIKLEY_UPLOAD_URL={sandbox.url}/file-upload")
        if webhook_key:
            typer.echo(f"export APIKLEY_WEBHOOK_KEYS={shlex.quote(webhook_key)}")
        talk.say(f"Look at it in a browser: {sandbox.url}/")
        talk.say("Copy these lines into another terminal. Ctrl-C here ends the sandbox and all it keeps.")
        from kling_facade.sandbox import serve

        serve(sandbox)
