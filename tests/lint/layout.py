# SPDX-License-Identifier: Apache-2.0
"""The layout is what clang-format makes of it. Its version is fixed, since each version formats a little differently."""
import re
import shutil
import subprocess

import source
from source import Finding

VERSION = "14"


def find_tool():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if not shutil.which(name):
            continue
        version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
        if re.search(rf"version {VERSION}\.", version):
            return name
    return None


def lint(tree):
    tool = find_tool()
    if not tool:
        source.skip(f"no clang-format {VERSION} here: the layout was NOT checked")
    paths = list(tree.files(r"\.[ch]$"))
    command = [tool, "--dry-run", "-ferror-limit=1", f"--style=file:{tree.root}/.clang-format"]
    result = subprocess.run(command + paths, cwd=tree.root, capture_output=True, text=True, check=True)
    for path, line in re.findall(r"^([^\s:]+):(\d+):\d+: warning: ", result.stderr, re.MULTILINE):
        yield Finding(path, int(line), "clang-format would change this")


if __name__ == "__main__":
    source.run(lint)
