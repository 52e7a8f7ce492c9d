# SPDX-License-Identifier: Apache-2.0
"""The package on a Debian with a systemd of its own: installed by apt, at work between real clients, hurt, upgraded, removed."""
import hashlib
import json
from pathlib import Path

from box import wait_until
from load import SENSORS, LoadCase
from plant import CONFIGURATION, KILLED, Heart, main


class Package(LoadCase):
    """From the installation to the purge."""

    def test_01_it_is_at_work_as_soon_as_it_is_installed(self):
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active")
        self.assertEqual(self.box.shell("systemctl is-enabled tidegate").strip(), "enabled")
        ports = self.box.shell("ss -Hlnutp | grep -v mosquitto")
        self.assertTrue(ports, "no port is open")
        self.assertEqual({(line.split()[0], line.split()[4]) for line in ports.splitlines()}, {("udp", "*:5684")}, ports)
        status = self.status()
        self.assertEqual((status["state"], status["problems"]), ("running", []))
        self.assertEqual([e["link"] for e in status["endpoints"]], ["up"])
        self.assertEqual(len(status["todo"]), 2, status["todo"])
        self.assert_clock_is_asked()
        self.assert_journal_is_quiet()

    def test_02_what_it_made_is_for_itself_alone(self):
        self.assertEqual(self.box.shell("stat -c '%a %U' /var/lib/tidegate /var/lib/tidegate/identity/gateway.key"),
                         "700 tidegate\n600 tidegate\n")
        self.assertRegex(self.box.shell("openssl x509 -noout -subject -in /var/lib/tidegate/identity/gateway.crt"), "CN ?= ?box-1$")
        self.assertEqual(self.box.shell("tidegatectl device ca"), self.box.shell("cat /var/lib/tidegate/identity/devices-ca.crt"))
        lines = json.loads(self.box.run("tidegatectl", "--json", "audit", "--no-updates", check=False)[1])["lines"]
        self.assertEqual([line for line in lines if line["state"] in ("fail", "unknown")], [])
        self.box.shell("journalctl --list-catalog | grep -q 'does not believe the machine'")

        self.assert_bill_of_materials()

    def assert_bill_of_materials(self):
        """Every file that the package's SPDX document names is there with that content, and what it stands on is installed."""
        bill = json.loads(self.box.read("/usr/share/doc/tidegate/tidegate.spdx.json"))
        self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
        for file in bill["files"]:
            sums = {each["algorithm"]: each["checksumValue"] for each in file["checksums"]}
            content = (self.box.root / file["fileName"]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), sums["SHA256"], file["fileName"])
        names = {package["SPDXID"]: package["name"] for package in bill["packages"]}
        linked = [names[r["relatedSpdxElement"]] for r in bill["relationships"] if r["relationshipType"] == "DYNAMIC_LINK"]
        self.assertTrue(any(name.startswith("libssl3") for name in linked), linked)
        self.box.run("dpkg-query", "-W", *linked)
        listed = set(self.box.shell("dpkg -L tidegate").splitlines())
        files = {path for path in listed if (self.box.root / path.lstrip("/")).is_file()}
        named = {file["fileName"][1:] for file in bill["files"]}
        self.assertEqual(files - named, {"/usr/share/doc/tidegate/tidegate.spdx.json"})

    def test_03_the_main_job(self):
        before = self.main_pid()
        self.begin_main_job()
        self.assertEqual(self.main_pid(), before)
        self.assert_works("first")
        self.assert_journal_is_quiet()

    def assert_port_is_held(self):
        """By three sockets, each one systemd's and the endpoint's: no other one takes a share of what comes."""
        holders = self.box.shell("ss -Hlnup 'sport = :5684'").splitlines()
        self.assertEqual(len(holders), 3, holders)
        for holder in holders:
            self.assertRegex(holder, '"systemd".*"tidegate-endpoi"|"tidegate-endpoi".*"systemd"')

    def test_04_restart_and_kill(self):
        endpoints, core = self.endpoint_pids(), self.main_pid()
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        self.assertNotEqual(self.main_pid(), core)
        self.assertEqual(self.endpoint_pids(), endpoints)
        self.assert_port_is_held()
        self.assert_works("restarted")
        before = self.main_pid()
        self.box.run("kill", "-9", before)
        wait_until(lambda: self.main_pid() not in (0, before), "systemd starts it again")
        self.wait_links()
        self.assertEqual(self.endpoint_pids(), endpoints)
        self.assert_port_is_held()
        self.assert_works("killed")
        self.assert_journal_is_quiet(*KILLED)

    def test_041_stopped_it_stays_so(self):
        self.box.run("systemctl", "stop", "tidegate")
        self.assertEqual(self.sensor.post("nobody is there", wait_s=3), "")
        wait_until(lambda: self.box.shell("ss -Hlnu 'sport = :5684'") == "", "the port is nobody's")
        self.assertEqual(self.box.shell("systemctl is-active tidegate", check=False).strip(), "inactive")
        self.box.run("systemctl", "start", "tidegate")
        self.wait_links()
        self.assert_port_is_held()
        self.assert_works("started")

    def test_05_a_core_that_cannot_start_is_tried_again_after_a_pause(self):
        broken, short = "/run/systemd/system/tidegate.service.d/x.conf", "/run/systemd/system/tidegate-again.service.d/x.conf"
        before = self.main_pid()
        self.box.shell(f"mkdir -p {Path(broken).parent} {Path(short).parent}")
        self.box.shell(f"printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestartSec=100ms\\n' >{broken}")
        self.box.shell(f"printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 10\\n' >{short}")
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "restart", "tidegate", check=False)
        wait_until(lambda: "activating" in self.box.shell("systemctl is-active tidegate-again", check=False), "the pause has begun")
        self.assertEqual(self.box.shell("systemctl is-active tidegate", check=False).strip(), "failed")
        # After a pause of this length the limit of starts would hold still.
        self.box.shell(f"rm -r {Path(broken).parent} {Path(short).parent}; systemctl daemon-reload; systemctl reset-failed tidegate")
        wait_until(lambda: self.main_pid() not in (0, before), "it is tried again by itself")
        self.wait_links()
        self.assert_works("tried again")

    def test_05_b_a_configuration_on_trial(self):
        """The service itself knows of which start of the machine it is one, and goes back by itself."""
        tried = self.configuration.replace("{site}/{gateway}/", "{site}/tried/")
        self.box.write("/srv/tried.conf", tried)
        self.box.run("tidegatectl", "config", "apply", "/srv/tried.conf", "--confirm", "20")
        self.assertEqual(self.sensor.post("tried"), "2.04")
        wait_until(lambda: "plant-7/tried/pump-1/temperature tried" in self.received, "the configuration on trial is in force")
        self.assertEqual(self.box.read("/etc/tidegate/tidegate.conf"), self.configuration)
        wait_until(lambda: self.status()["trial"]["state"] == "over", "nobody has confirmed it")
        self.assert_works("as before")
        self.box.run("tidegatectl", "config", "revert")

    def test_06_reboot(self):
        before = self.identity()
        for hard in (False, True):
            self.box.reboot(hard)
            self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active")
            self.subscribe()
            self.wait_links()
            self.assertEqual(self.identity(), before)
            self.assert_works(f"booted-{hard}")

    def test_07_upgrade_while_a_sensor_sends(self):
        before = self.identity()
        heart = Heart(self.sensor, "beat")
        heart.start()
        heart.wait_beats(3)
        self.box.publish([self.newer("+1")])
        self.box.apt("install", "--only-upgrade", "tidegate")
        self.assertEqual(self.installed_version(), f"install ok installed {self.version}+1")
        heart.wait_beats(3)
        self.box.apt("install", "--reinstall", "tidegate")
        heart.wait_beats(3)
        heart.end()
        for text in heart.acknowledged:
            self.arrived(text)
        wait_until(lambda: self.status()["upgrade"]["state"] == "proved", "the new version has proved itself", 180)
        print(f"  {heart.sent} readings sent over an upgrade and a reinstallation, {len(heart.acknowledged)} acknowledged, none lost")
        self.assertEqual(self.identity(), before)
        self.assertEqual(self.box.read("/etc/tidegate/tidegate.conf"), CONFIGURATION)
        self.assertEqual(self.status()["problems"], [])

    @staticmethod
    def other_code(folder):
        """What is added at its end is not loaded."""
        with open(folder / "usr/libexec/tidegate/tidegate-endpoint", "ab") as program:
            program.write(b"\0")

    def test_071_fifty_sensors_over_restarts_and_upgrades(self):
        load, endpoints = self.start_load(), self.endpoint_pids()
        self.wait_readings()
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_readings()
        self.box.publish([self.newer("+0a")])
        self.box.apt("install", "--only-upgrade", "tidegate")  # the same code
        self.wait_readings()
        self.assertEqual(self.endpoint_pids(), endpoints)
        self.box.publish([self.newer("+0b", self.other_code)])
        self.box.apt("install", "--only-upgrade", "tidegate")
        self.wait_readings()
        self.assertNotEqual(self.endpoint_pids(), endpoints)
        summary = self.end_load(load)
        print("  over a restart and two upgrades:", {key: summary[key] for key in (
            "sent", "acknowledged", "unanswered", "handshakes", "resumed", "sessions_lost")}, "none lost")
        # One more for each sensor when its process became another one, and no more than that.
        self.assertLessEqual(summary["handshakes"], 2 * SENSORS, summary)

    def test_08_no_upgrade_into_a_configuration_that_does_not_check(self):
        before = self.main_pid()
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION.replace("listen", "lisen"))
        self.box.publish([self.newer("+2")])
        _, said = self.box.apt("install", "--only-upgrade", "tidegate")
        self.assertRegex(said, "the new version refuses the configuration")
        self.assertRegex(said, r"tidegate\.conf:\d+: .*lisen")
        self.assertEqual(self.installed_version(), f"install ok installed {self.version}+2")
        self.assertEqual(self.main_pid(), before)
        self.assert_works("goes on")
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION)
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        self.assert_works("mended")

    def test_09_removed_it_is_quiet_and_comes_back_as_it_was(self):
        before = self.identity()
        self.box.apt("remove", "tidegate")
        self.assertEqual(self.box.shell("pgrep -u tidegate", check=False), "")
        self.assertEqual(self.box.shell("ss -Hlnu"), "")
        self.box.apt("install", "tidegate")
        self.wait_links()
        self.assertEqual(self.identity(), before)
        self.assert_works("back again")

    def test_10_purged_nothing_is_left(self):
        self.subscriber.kill()
        self.box.apt("purge", "tidegate")
        self.box.run("rm", "-f", "/etc/mosquitto/conf.d/cloud.conf")
        self.assertEqual(self.box.shell("pgrep -u tidegate", check=False), "")
        self.assertEqual(sorted(self.list_files() - self.files_before), [])
        self.assertEqual(self.box.shell("ls -d /run/tidegate /var/lib/tidegate /var/lib/systemd/*/*tidegate* 2>/dev/null", check=False), "")


if __name__ == "__main__":
    main(Package)
