"""Shared runs: the shipped books at few paths, computed once a process."""

import pytest

import offtake


@pytest.fixture(scope="session")
def small() -> offtake.Run:
    return offtake.run(offtake.load("two-clouds"), paths=512, seed=1)


@pytest.fixture(scope="session")
def first() -> offtake.Run:
    return offtake.run(offtake.load("openai-aws"), paths=256, seed=1)
