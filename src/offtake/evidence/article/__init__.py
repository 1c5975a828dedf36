"""Reads an article: text -> mentions of numbers and dates -> claims with speaker, kind and subject -> checks, verdicts, a draft.

Rules and word lists only: the same text gives the same claims on any machine, without a network. Every pattern is bounded, so that
time grows with the length of the text and not faster.
"""
