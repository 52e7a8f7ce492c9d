# SPDX-License-Identifier: Apache-2.0
"""Nothing in the tree knows the machine that it was written on, or where packages are fetched from."""
import re

import source
from source import Finding

# The brackets keep this file out of its own findings.
FOREIGN = re.compile(
    r"(?<![\w.{}$-])/(wor[k]|hom[e]|User[s]|roo[t])/[\w.-]+"
    r"|\b(registry\.npm[j]s|registry\.yarn[p]kg|pypi\.or[g]|files\.python[h]osted|(deb|security|snapshot)\.debia[n]\.org"
    r"|proxy\.golan[g]|crates\.i[o])"
)
TEXT = r"^[^/]+\.(md|am|ac)$|^bootstrap$|/"


def lint(tree):
    for path in tree.files(TEXT, top=True):
        for number, line in tree.lines(path):
            for match in FOREIGN.finditer(line):
                yield Finding(path, number, f"'{match[0]}' does not belong into the tree")


if __name__ == "__main__":
    source.run(lint)
