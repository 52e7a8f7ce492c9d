# SPDX-License-Identifier: Apache-2.0
"""A box under load: fifty sensors of the load generator, and what has to have arrived of their readings."""
import json
import os
import re
import shutil
from pathlib import Path

from box import wait_until
from plant import PlantCase

SENSORS = 50


class LoadCase(PlantCase):
    record = "/srv/load.record"

    def enrol_load(self):
        """Once: each of them by its own key."""
        if (self.box.root / "srv/load.keys").exists():
            return
        generator = Path(os.environ.get("TG_BUILD", "build")) / "tests/bench/loadgen"
        shutil.copy(generator, self.box.root / "srv/loadgen")
        enrol = f"for n in $(seq 1 {SENSORS}); do tidegatectl --json device add load-$n --psk; done"
        answers = re.findall(r'"device": "([^"]+)".*?"key": "([0-9a-f]+)"', self.box.shell(enrol), re.DOTALL)
        self.assertEqual(len(answers), SENSORS)
        self.box.write("/srv/load.keys", "".join(f"{name} {key}\n" for name, key in answers))

    def start_load(self, *options):
        """Each sensor has one session, and sends five readings a second. Returns its Popen when they are connected."""
        self.enrol_load()
        load = self.box.follow_service("/srv/loadgen", "--server", "127.0.0.1:5684", "--keys", "/srv/load.keys", "--sensors",
                                       str(SENSORS), "--record", self.record, "--rate", "5", "--ack-timeout", "1",
                                       "--retransmits", "3", "--linger", "30", "--seconds", "3600", *options)
        said = iter(load.stdout.readline, "")
        self.assertTrue(any(line.startswith("connected ") for line in said), "the load generator did not connect")
        return load

    def acknowledged(self):
        return {tuple(line.split()) for line in self.box.read(self.record).splitlines()}

    def end_load(self, load):
        """Returns its summary, when all that it has an acknowledgement for has arrived."""
        self.box.run("pkill", "-INT", "-x", "loadgen")
        said = load.communicate(timeout=180)[0]
        summary = json.loads(said[said.index("{"):])
        acknowledged = self.acknowledged()
        self.assertTrue(acknowledged)
        self.assertEqual(len(acknowledged), summary["acknowledged"])
        wait_until(lambda: not acknowledged - {tuple(line.split()[1:3]) for line in list(self.received)},
                   "every acknowledged reading arrived", 300)
        return summary

    def wait_readings(self):
        """Of each sensor."""
        before = len(self.received)

        def all_speak():
            names = {name for line in self.received[before:] for name in line.split()[1:2] if name.startswith("load-")}
            return len(names) == SENSORS
        wait_until(all_speak, "readings of each sensor arrive")

    def show(self, what, summary):
        print(f"  {what}:", {key: summary[key] for key in ("sent", "acknowledged", "refused", "unanswered", "handshakes", "resumed",
                                                           "sessions_lost")}, "none lost")
