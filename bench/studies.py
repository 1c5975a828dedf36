"""What a run computes after its ensemble, against the ensemble, all on one thread: on more they are shared out, study by study."""

import time

from offtake import front
from offtake.studies.beside import STUDIES


def cpu(work):
    """CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def cost(book, paths):
    """CPU seconds of the ensemble, and of each study by name; kernels are loaded before."""
    front.run(front.load(book), paths=64, workers=1).answers()
    run = front.run(front.load(book), paths=paths, workers=1)
    return cpu(lambda: run.findings), {name: cpu(lambda name=name: run.beside([name])) for name in STUDIES}
