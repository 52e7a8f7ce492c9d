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
        text = re.sub("@[a-z_]+@", str(self.folder), text)
        self.script.write_text(text.replace("PATH=", f"PATH={self.folder}/bin:", 1), encoding="utf-8")
        (self.folder / "bin").mkdir()
        self.calls = self.folder / "calls"
        self.calls.write_text("", encoding="utf-8")
        self.fake("logger", "exit 0")

    def fake(self, name, script):
        """A program that the script finds instead of the machine's, and that notes how it was called."""
        program = self.folder / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.calls}"\n{script}\n', encoding="utf-8")
        program.chmod(0o755)

    def fake_box(self, state="active", tries=0, installed=("there",)):
        """Whose service is in this state, and whose way back was begun again so often."""
        self.fake("systemctl", f'case $* in *ActiveState*) echo {state} ;; *NRestarts*) echo {tries} ;; esac')
        self.fake("dpkg-query", f"case $* in *Provides*) printf 'ii \\t%s, \\nrc \\tgone, other\\n' '{', '.join(installed)}' ;; esac")
        self.fake("dpkg-deb", 'case $* in *Pre-Depends) ;; *) echo "there (>= 2), gone (>= 1) | other, tidegate (= 1.0)" ;; esac')
        for name in ("apt-get", "dpkg"):
            self.fake(name, "exit 0")
        self.fake("sleep", "exit 0")
        self.fake("runuser", "exit 0")
        for name, text in (("version", "1.0\n"), ("returning", "why\n"), ("packages/tidegate_1.0.deb", "")):
            path = self.place / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="ascii")
        self.begin("1.1")

    def called(self, word):
        return [line for line in self.calls.read_text(encoding="utf-8").splitlines() if line.startswith(word)]

    def read(self, name):
        path = self.place / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

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

    def test_a_full_disk_takes_no_good_version_back(self):
        self.begin("1.1")
        self.prove("exit 0")
        (self.place / "outcome.new").mkdir()
        self.assertEqual(self.call("watch", "3").returncode, 0)
        self.assertIsNone(self.read("trial"))
        self.assertEqual(self.call("back").returncode, 0)

    def test_a_full_disk_leaves_no_half_a_note(self):
        """Of why a version goes; it is written, and begun, when there is room."""
        self.fake_box(installed=("there", "gone"))
        (self.place / "returning").unlink()
        (self.place / "unpacking").write_text("from 1.0\nto 1.1\nboot before\n", encoding="ascii")
        (self.place / "returning.new").mkdir()
        self.assertEqual(self.call("back").returncode, 1)
        self.assertFalse((self.place / "returning").exists())
        self.assertEqual(self.called("dpkg --force"), [])
        (self.place / "returning.new").rmdir()
        self.assertEqual(self.call("back").returncode, 0)
        self.assertIn("(the upgrade was cut short), and 1.0 is back", self.read("outcome"))
        self.assertIsNone(self.read("failed"))

    def test_back_with_all_that_it_needs(self):
        self.fake_box(installed=("there", "another (= 1), other (= 3)"))
        self.assertEqual(self.call("back").returncode, 0)
        self.assertEqual(self.called("apt-get"), [])
        self.assertEqual(len(self.called("dpkg --force-confold --force-downgrade --install")), 1)
        self.assertEqual(self.read("outcome"), "returned\nversion 1.1 did not prove itself (why), and 1.0 is back\n")
        self.assertEqual(self.read("failed"), "1.1\n")
        self.assertIsNone(self.read("returning"))

    def test_the_new_version_is_not_touched_where_the_one_before_lacks_something(self):
        """Over an hour, with pauses that grow, it is tried to get that; then it stays."""
        for tries, pause in ((0, 0), (1, 60), (5, 31 * 60)):
            self.fake_box(tries=tries)
            self.assertEqual(self.call("back").returncode, 1)
            self.assertEqual(self.called("sleep")[-1], f"sleep {pause}")
            self.assertEqual(self.read("returning"), "why\n")
        said = "version 1.1 has not proved itself (why), and 1.0 could not be brought back: it needs gone (>= 1) | other, which is not there any more"
        self.assertEqual(self.read("outcome"), f"lost\n{said}\n")
        self.assertTrue(self.called("apt-get")[-1].endswith(" satisfy gone (>= 1) | other"))
        self.fake_box(tries=6)
        self.assertEqual(self.call("back").returncode, 0)
        self.assertIn("and stays; 1.0 could not be brought back", self.read("outcome"))
        self.assertIsNone(self.read("returning"))
        self.assertEqual(self.read("failed"), "1.1\n")
        self.assertEqual(self.called("dpkg --"), [])
        self.assertEqual(self.called("systemctl stop tidegate.service"), [])

    def test_what_cannot_be_installed_is_tried_ever_more_seldom(self):
        for tries, pause in ((0, 0), (2, 180), (40, 63 * 60)):
            self.fake_box(tries=tries, installed=("there", "gone"))
            self.fake("dpkg", "echo 'no space left'; exit 2")
            self.assertEqual(self.call("back").returncode, 1)
            self.assertEqual(self.called("sleep")[-1], f"sleep {pause}")
        self.assertEqual(self.read("returning"), "why\n")

    def test_a_service_that_was_stopped_keeps_its_data(self):
        self.fake_box(state="inactive", installed=("there", "gone"))
        (self.state / "previous").mkdir()
        self.assertEqual(self.call("back").returncode, 0)
        self.assertEqual(self.called("runuser -u tidegate -- sh"), [])
        self.assertEqual(self.called("systemctl start"), [])
        self.assertTrue(self.read("outcome").startswith("returned\n"))

    def test_a_service_that_fails_goes_on_with_the_copy(self):
        self.fake_box(state="failed", installed=("there", "gone"))
        self.assertEqual(self.call("back").returncode, 0)
        self.assertEqual(len(self.called("runuser -u tidegate -- sh")), 1)
        self.assertTrue(self.read("outcome").startswith("lost\n"))

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
