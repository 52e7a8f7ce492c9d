# SPDX-License-Identifier: Apache-2.0
"""The completion for bash offers every command of tidegatectl, word by word, and its options."""
import os
import re
import subprocess
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("TG_BUILD", SOURCE / "build"))
ENVIRONMENT = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "LC_ALL": "C"}


def run(*command):
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, encoding="utf-8", check=True).stdout


def complete(*words):
    """What is offered for the last of these words."""
    return set(run("bash", "-c", 'source "$0"; COMP_WORDS=(tidegatectl "$@"); COMP_CWORD=$#; _tidegatectl; printf "%s\\n" "${COMPREPLY[@]}"',
                   str(SOURCE / "packaging/completion/tidegatectl"), *words).split())


class Completion(unittest.TestCase):
    def setUp(self):
        text = run("tidegatectl", "--help")
        self.commands = [words.split() for words in re.findall(r"^  ([a-z]+(?: [a-z]+)*)\b", text.partition("Options:")[0], re.MULTILINE)]
        self.assertGreater(len(self.commands), 10)

    def test_every_command(self):
        for command in self.commands:
            for n, word in enumerate(command):
                self.assertIn(word, complete(*command[:n], ""), command)
                self.assertIn(word, complete(*command[:n], word[:1]), command)

    def test_options(self):
        self.assertGreaterEqual(complete("device", "add", "pump-1", "--"),
                                {"--psk", "--out", "--certificate", "--csr", "--enrol-only", "--endpoint", "--profile", "--help"})
        self.assertEqual(complete("certs", "renew", "--s"), {"--status"})
        self.assertEqual(complete("--j"), {"--json"})
        self.assertEqual(complete("--json", "stat"), {"status"})
        self.assertEqual(complete("status", "--w"), set())

    def test_files(self):
        self.assertIn(str(SOURCE / "README.md"), complete("device", "add", "pump-1", "--csr", str(SOURCE / "READ")))
        self.assertIn(str(SOURCE / "README.md"), complete("device", "import", str(SOURCE / "READ")))


if __name__ == "__main__":
    unittest.main()
