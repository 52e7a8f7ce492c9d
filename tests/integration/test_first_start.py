# SPDX-License-Identifier: Apache-2.0
"""tidegate-identity, which the service runs before it starts: where it is stopped in the middle it leaves nothing behind."""
import os
import re
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness.process import DEADLINE_S, wait_until

SOURCE = Path(os.environ.get("TG_SOURCE", "."))
# A shell cannot trap what was ignored when it began, as SIGHUP is under nohup.
HEARS_ALL = ["env", "--default-signal=HUP,TERM,USR1"]


class FirstStart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-first-start-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        text = (SOURCE / "systemd/tidegate-identity.in").read_text(encoding="utf-8")
        self.write("tidegate-identity", re.sub("@[a-z_]+@", str(self.folder), text))
        # A gateway that never has an authority, and would run on.
        self.write("tidegated", f"#!/bin/sh\necho $$ >{self.folder}/pid.new\nmv {self.folder}/pid.new {self.folder}/pid\nexec sleep 600\n")
        self.write("tidegatectl", "#!/bin/sh\nexit 1\n")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def is_running(self, pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_a_signal_leaves_no_gateway_behind(self):
        state, run = self.folder / "state", self.folder / "run"
        environment = {**os.environ, "STATE_DIRECTORY": str(state), "RUNTIME_DIRECTORY": str(run)}
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
            (self.folder / "pid").unlink(missing_ok=True)
            script = subprocess.Popen([*HEARS_ALL, "sh", self.folder / "tidegate-identity"], env=environment, stdin=subprocess.DEVNULL)
            try:
                wait_until((self.folder / "pid").exists, "the gateway is started that makes the authority")
                pid = int((self.folder / "pid").read_text(encoding="ascii"))
                self.addCleanup(lambda pid=pid: self.is_running(pid) and os.kill(pid, signal.SIGKILL))
                script.send_signal(number)
                self.assertEqual(script.wait(DEADLINE_S), 143)
            finally:
                script.kill()
                script.wait()
            self.assertFalse(self.is_running(pid), number)
            self.assertFalse((run / "first").exists())
            self.assertEqual(sorted(path.name for path in (state / "identity").iterdir()), ["gateway.crt", "gateway.key"])


if __name__ == "__main__":
    unittest.main()
