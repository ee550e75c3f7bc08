"""The command line: a thin mirror of the public functions.

building.py     list, show, fetch, build, verify, check, new, import
instructing.py  expand
publishing.py   push, pull
exporting.py    export, mix
benching.py     bench
endpoints.py    options of every command that asks a model
tables.py       how tables and sizes are printed
"""

from __future__ import annotations

import logging
import sys
import traceback

import click

from medsins.cli import benching, building, exporting, instructing, publishing
from medsins.errors import MedsinsError
from medsins.io.logs import shown
from medsins.io.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="medsins")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("-v", "--verbose", count=True, help="Show the log on stderr; -vv: details, too.")
@click.pass_context
def app(context: click.Context, debug: bool, verbose: int) -> None:
    """Build medical instruction-tuning datasets from raw corpora.

    SELECT is a task, task family or recipe name, category:…, domain:…, language:…, access:…, a
    glob, a published id such as task83, or all; -NAME takes away.
    """
    del debug
    if verbose:
        context.with_resource(shown(logging.INFO if verbose == 1 else logging.DEBUG))


def main() -> None:
    """Run the command line, and turn errors into one line and an exit code.

    Exit codes: 0 done, 1 something failed, 2 wrong usage or data, 3 a budget is used up, 130
    interrupted.
    """
    debug = "--debug" in sys.argv[1:]
    try:
        code = app.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except MedsinsError as error:
        if debug:
            traceback.print_exc()
        click.echo(f"medsins: {error}", err=True)
        code = error.exit_code
    if code == 130:
        click.echo("medsins: interrupted. Run the same command again to go on from here.", err=True)
    sys.exit(code or 0)


for module in (building, instructing, publishing, exporting, benching):
    for command in module.COMMANDS:
        app.add_command(command)
