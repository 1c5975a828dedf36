"""Where ../shared lies, for tests that read it and skip without it: beside the checkout, or beside a folder that holds it."""

from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SHARED = next((up / "shared" for up in HERE.parents if (up / "shared" / "facts").is_dir()), HERE.parent / "shared")
ABSENT = "../shared is not here: its files were not read"
