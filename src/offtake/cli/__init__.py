"""The verbs of the command line. Each calls `front` and prints; nothing is computed here.

Exit codes: 0 done, 1 the book or the question is at fault, 2 wrong command line, 70 a bug of ours.
Imports stand inside the commands, so that `--help` loads neither numpy nor numba. Verbs are listed in the order of these modules.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from .base import app

# the order in which verbs are listed
# isort: off
from . import runs as runs
from . import books as books
from . import ensembles as ensembles
from . import worth as worth
from . import evidence as evidence
from . import learning as learning
from . import actions as actions
from . import replay as replay
from . import articles as articles
from . import facts as facts
from . import traces as traces
from . import ledger as ledger
# isort: on

__all__ = ["app", "main"]


INTERRUPTED = 130
# Linear algebra here is of small matrices: threads of its own would wait for each other, beside those of the run.
ALONE = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main() -> NoReturn:
    """Run the command line and turn what went wrong into a sentence and an exit code."""
    from ..errors import BookError, OfftakeError

    for name in ALONE:  # before numpy is loaded
        os.environ.setdefault(name, "1")
    try:
        app(standalone_mode=True)
        sys.exit(0)
    except BookError as error:
        for issue in error.issues:
            typer.echo(issue.to_text(), err=True)
        sys.exit(1)
    except OfftakeError as error:
        typer.echo(f"offtake: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except SystemExit as ended:  # typer turns Ctrl-C into a silent 130
        if ended.code == INTERRUPTED:
            typer.echo("offtake: interrupted; nothing half-written is left", err=True)
        raise
    except KeyboardInterrupt:  # outside of typer
        typer.echo("offtake: interrupted; nothing half-written is left", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if os.environ.get("OFFTAKE_DEBUG"):
            raise
        typer.echo(f"offtake: a bug of ours: {type(error).__name__}: {error}. OFFTAKE_DEBUG=1 shows where.", err=True)
        sys.exit(70)
