"""What a run tells while it goes on."""

import pytest

from offtake.reports.progress import pace_text


@pytest.mark.parametrize(
    ("done", "left", "seconds", "text"),
    [
        (0, 100, 9.0, ""),
        (50, 100, 0.1, ""),
        (6_200, 130_200, 2.0, ", 3,100 paths/s, 0:42 left"),
        (1_000, 0, 10.0, ", 100 paths/s, 0:00 left"),
        (8_192, 100_000_000, 2.0, ", 4,096 paths/s, 6:46:54 left"),
        (3, 6, 1.0, ", 3.0 paths/s, 0:02 left"),
    ],
)
def test_pace(done: int, left: int, seconds: float, text: str) -> None:
    assert pace_text(done, left, seconds, "paths") == text
