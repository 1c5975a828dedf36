"""Filings on disk as facts: companyfacts JSON, inline XBRL, instance documents, plain text (E-06)."""
