"""Shared runs: the shipped books at few paths, computed once a process. And what a skip means on a CI machine."""

import os

import pytest

import offtake

FINE = ("../shared", "without compilation")  # what a machine may lack: data beside the checkout, time for plain Python


def missing(reasons: list[str], ci: bool) -> list[str]:
    """Skips that fail the run: on a CI machine each one whose reason is none of FINE, such as a program that is not installed."""
    return sorted({reason for reason in reasons if ci and not any(word in reason for word in FINE)})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a test that skips for want of a program or a package is a failure: the machine was to have it (.ci/run)."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    lacking = missing([str(report.longrepr[2]) for report in skipped], os.environ.get("CI") == "true")
    if lacking and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.ensure_newline()
        reporter.write_line("CI=true, and tests were skipped for what this machine lacks: " + "; ".join(lacking), red=True)


@pytest.fixture(scope="session")
def small() -> offtake.Run:
    return offtake.run(offtake.load("two-clouds"), paths=512, seed=1)


@pytest.fixture(scope="session")
def first() -> offtake.Run:
    return offtake.run(offtake.load("openai-aws"), paths=256, seed=1)
