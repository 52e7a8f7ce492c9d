# SPDX-License-Identifier: Apache-2.0
"""tidegate-upgrade, as the units of an upgrade call it: what it keeps, and what it notes. tests/system has the upgrades themselves."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("TG_SOURCE", "."))
# What a peer might say so that the journal takes it for fields, and a terminal for commands.
HOSTILE = 'endpoint "cloud" was up before: 1\\nPRIORITY=7\\n\\033[2J\\a'


class Trial(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-trial-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.place, self.state = self.folder / "previous", self.folder / "state"
        for path in (self.place, self.state, self.folder / "tidegate"):
            path.mkdir()
        text = (SOURCE / "packaging/tidegate-upgrade.in").read_text(encoding="utf-8")
        self.script = self.folder / "tidegate-upgrade"
        self.script.write_text(re.sub("@[a-z_]+@", str(self.folder), text), encoding="utf-8")

    def call(self, *words):
        environment = {**os.environ, "TIDEGATE_PREVIOUS": str(self.place), "STATE_DIRECTORY": str(self.state)}
        return subprocess.run(["sh", self.script, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

    def begin(self, to, since=1):
        (self.place / "trial").write_text(f"from 1.0\nto {to}\nsince {since}\n", encoding="ascii")

    def prove(self, script):
        program = self.folder / "tidegate/tidegate-prove"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        program.chmod(0o755)

    def test_what_peers_said_is_one_line_of_text(self):
        self.begin("1.1")
        self.prove(f"printf '{HOSTILE}'; exit 1")
        result = self.call("watch", "3")
        self.assertEqual(result.returncode, 1)
        said = (self.place / "returning").read_bytes()
        self.assertRegex(said, rb'\Aendpoint "cloud" was up before: 1 PRIORITY=7  \[2J \n\Z')
        self.assertIn(b"PRIORITY=7", result.stderr)
        self.assertNotRegex(result.stderr, rb"(?m)^PRIORITY|\033")

    def test_a_version_that_proves_itself_ends_the_trial(self):
        self.begin("1.1")
        self.prove("exit 0")
        self.assertEqual(self.call("watch", "3").returncode, 0)
        self.assertEqual((self.place / "outcome").read_text(encoding="ascii"), "proved\nversion 1.1 has proved itself in the place of 1.0\n")
        self.assertFalse((self.place / "trial").exists())

    def copied(self):
        path = self.state / "previous/outbox.db"
        return path.read_text(encoding="ascii") if path.exists() else None

    def test_the_copy_is_of_before_the_first_version_of_a_trial(self):
        database = self.state / "outbox.db"
        database.write_text("good", encoding="ascii")
        self.begin("1.1")
        self.assertEqual(self.call("copy").returncode, 0)
        self.assertEqual(self.copied(), "good")
        database.write_text("spoilt", encoding="ascii")
        for version in ("1.1", "1.2"):
            self.begin(version)
            self.assertEqual(self.call("copy").returncode, 0)
            self.assertEqual(self.copied(), "good", version)
        self.begin("1.3", since=2)
        self.assertEqual(self.call("copy").returncode, 0)
        self.assertEqual(self.copied(), "spoilt")
        (self.place / "trial").unlink()
        self.assertEqual(self.call("copy").returncode, 0)
        self.assertIsNone(self.copied())


if __name__ == "__main__":
    unittest.main()
