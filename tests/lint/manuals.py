# SPDX-License-Identifier: Apache-2.0
"""mandoc finds nothing to say about the man pages."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import source
from source import Finding


def lint(tree):
    if not shutil.which("mandoc"):
        source.skip("no mandoc here: the man pages were NOT checked")
    paths = list(tree.files(r"^packaging/man/[^/]+\.[158]$"))
    made = Path(os.environ.get("TG_BUILD", tree.root), "packaging/man/tidegate.conf.5")
    for path in paths + ([made] if made.exists() else []):
        command = ["mandoc", "-Tlint", "-Wstyle", str(tree.root / path)]
        for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines():
            match = re.search(r":(\d+):\d+: (?!STYLE: referenced manual not found)(.*)", line)
            if match:
                yield Finding(str(path), int(match[1]), match[2])


if __name__ == "__main__":
    source.run(lint)
