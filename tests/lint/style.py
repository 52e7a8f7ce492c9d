# SPDX-License-Identifier: Apache-2.0
"""What the eye would find in a review: licence lines, lengths, functions that are not used here.

Arrays of variable length are the compiler's to find: -Wvla is among the warnings, which are errors in CI.
"""
import re

import source
from source import Finding

SPDX = "SPDX-License-Identifier: Apache-2.0"
FILE_LINES = 450
FUNCTION_LINES = 60
# Prose and lists that have no comments, or whose first line belongs to somebody else.
NO_LICENCE_LINE = r"(^|/)(LICENSE|\.gitignore|\.gitkeep|\.clang-format|[^/]+\.(md|json))$|^packaging/debian/|^tests/fuzz/corpus/"
TOP = r"^(bootstrap|Makefile\.am|configure\.ac|[^/]+\.md|\.clang-format)$|/"

BANNED = re.compile(
    r"\b(strcpy|stpcpy|strcat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|gets|alloca)\s*\(|\btypedef\s+(struct|union|enum)\b"
)


def check_licence(tree, path):
    head = tree.text(path).splitlines()[:2]
    if not any(SPDX in line for line in (head if head and head[0].startswith("#!") else head[:1])):
        yield Finding(path, 1, f"does not begin with {SPDX}")


def check_lengths(tree, path):
    lines = tree.text(path).splitlines()
    if path.endswith(".c") and len(lines) > FILE_LINES:
        yield Finding(path, len(lines), f"{len(lines)} lines are more than {FILE_LINES}")
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line.startswith("}") and begin:
            if number - begin - 1 > FUNCTION_LINES:
                yield Finding(path, begin, f"a function of {number - begin - 1} lines, more than {FUNCTION_LINES}")
            begin = None


def check_banned(tree, path):
    for number, line in enumerate(source.code_only(tree.text(path)).splitlines(), 1):
        for match in BANNED.finditer(line):
            yield Finding(path, number, f"'{match[0].rstrip('( ')}' is not used here")


def lint(tree):
    for path in tree.files(TOP, top=True):
        if not re.search(NO_LICENCE_LINE, path):
            yield from check_licence(tree, path)
    for path in tree.files(r"\.[ch]$"):
        yield from check_lengths(tree, path)
        yield from check_banned(tree, path)


if __name__ == "__main__":
    source.run(lint)
