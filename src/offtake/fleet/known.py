"""Published failure records, and what is assumed beside them.

`llama3`: 419 unexpected interruptions in 54 days of training on 16,384 GPUs. Counts by cause: Llama Team, "The Llama 3 Herd of Models",
2024-07-31, table 5; GPU 268 (GPU 148, HBM3 72, SRAM 19, system processor 17, silent corruption 6, thermal and sensor 6), tray 46
(unplanned maintenance 32, SSD 3, power supply 3, chassis 2, IO board 2, CPU 2, memory 2), network 49 (switch and cable 35, network card 7,
collective library timeouts 7), software 56 (bugs 54, dependencies 2); no rack or site is named there, so their shares are 0.
Assumed, as the paper gives none: hours to repair (a node leaves for a day, a cable for two hours), their spread (a factor 2.7 up and down
holds two thirds), ten minutes until a failure is noticed, 30 s to write a checkpoint and five minutes to start from it.
"""

from __future__ import annotations

from .pools import Failures, Saving

INTERRUPTIONS, DAYS, GPUS = 419, 54, 16_384
BY_CAUSE = {"gpu": 268, "tray": 46, "rack": 0, "network": 49, "site": 0, "software": 56}

LLAMA3 = Failures(
    rate=INTERRUPTIONS / (DAYS * GPUS),
    shares=tuple(n / INTERRUPTIONS for n in BY_CAUSE.values()),
    hours=(24.0, 24.0, 24.0, 2.0, 4.0, 0.0),
    spread=(1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    notice=600.0,
    source="Llama Team, The Llama 3 Herd of Models, 2024-07-31, section 3.3.4 and table 5; hours to repair and notice are assumed",
)
LLAMA3_SAVING = Saving(write=30.0, restart=300.0)
