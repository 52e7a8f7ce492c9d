# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, and twice in a row; the installed ones also as strict C11."""
import os
import posixpath
import shlex
import subprocess

import source
from source import Finding

FLAGS = "-fsyntax-only -Wall -Wextra -Wno-unused-function -Werror -x c -"


def compile_alone(tree, path, standard):
    root = tree.root
    includes = [f"-I{root / folder}" for folder in ("include", "daemon", "plugins", "tests", posixpath.dirname(path))]
    command = shlex.split(os.environ.get("CC", "cc")) + [*f"-std={standard}".split(), *includes, *FLAGS.split()]
    text = f'#include "{root / path}"\n' * 2
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def lint(tree):
    for path in tree.files(r"\.h$"):
        standards = ["c11 -pedantic", "gnu17"] if path.startswith("include/") else ["gnu17"]
        for standard in standards:
            result = compile_alone(tree, path, standard)
            if result.returncode:
                yield Finding(path, 1, f"does not compile alone as {standard}: {result.stderr.strip()}")


if __name__ == "__main__":
    source.run(lint)
