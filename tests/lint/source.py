# SPDX-License-Identifier: Apache-2.0
"""What all lints share: a view of the source tree, and the way to report.

A lint is a function that takes a Tree and yields Findings; source.run() makes a program of it. A lint that looks at no
file at all fails: it would prove nothing.
"""
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

FOLDERS = ["include", "daemon", "plugins", "tests", "conf", "packaging", "systemd", ".ci"]
# What autotools or python make; also present in a tree that was unpacked from the release archive.
GENERATED = re.compile(r"(^|/)(__pycache__|m4)/|\.(o|lo|la|pyc|log|trs)$")


class Finding(NamedTuple):
    path: str
    line: int
    text: str


class Tree:
    """The files below `root` that somebody wrote."""

    def __init__(self, root):
        self.root = Path(root)
        self.looked_at = 0

    def files(self, pattern, folders=FOLDERS, top=False):
        """Yields the paths (relative to the root) that match the regular expression, in order."""
        found = [p for folder in folders for p in (self.root / folder).rglob("*")]
        found += self.root.iterdir() if top else []
        for path in sorted(p.relative_to(self.root).as_posix() for p in found if p.is_file()):
            if re.search(pattern, path) and not GENERATED.search(path):
                self.looked_at += 1
                yield path

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def lines(self, path):
        """Yields (number, line), from 1."""
        return enumerate(self.text(path).splitlines(), 1)


C_NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def code_only(text):
    """C source with comments and literals taken out; lines keep their numbers."""
    return C_NOISE.sub(lambda m: "\n" * m.group().count("\n") or " ", text)


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def run(lint):
    tree = Tree(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
    findings = sorted(set(lint(tree)))
    for f in findings:
        print(f"{f.path}:{f.line}: {f.text}")
    if not tree.looked_at:
        print("no file was looked at")
    print(f"{tree.looked_at} files, {len(findings)} findings")
    sys.exit(1 if findings or not tree.looked_at else 0)
