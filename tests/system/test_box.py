# SPDX-License-Identifier: Apache-2.0
"""What hurts a box in the field, done to the installed service while fifty sensors send: processes that are killed or hang, a disk that is
full, power that goes. Nothing that was acknowledged is lost, and the service is well again by itself.

See plant.py for what this wants.
"""
import re

from box import wait_until
from load import SENSORS, LoadCase
from plant import CONFIGURATION, KILLED, main

GONE = [r'process .*is gone']
HUNG = [*KILLED, "Watchdog timeout", "Killing process .* with signal SIGABRT", "Failed with result 'watchdog'"]
SMALL_DISK_MIB = 16
SMALL = CONFIGURATION + "store: { reserve_bytes = 2097152; };\n"
STATE = "/var/lib/tidegate"


class Hurt(LoadCase):
    """One box; each step begins and ends with a gateway that is well."""

    def setUp(self):
        self.cursor = self.journal_cursor()

    def assert_well(self, *allowed):
        """All is in order again, and nothing was said that nobody expected."""
        self.wait_links()
        wait_until(lambda: self.status()["problems"] == [], f"no problem is left; {self.status()['problems']}")
        wait_until(lambda: sum(outbox["ledger"]["held"] for outbox in self.status()["outboxes"]) == 0, "all is sent on", 300)
        self.assert_balanced()
        self.assert_quiet_since(self.cursor, *allowed)

    def restarts(self):
        return int(self.box.shell("systemctl show -P NRestarts tidegate"))

    def test_01_at_work(self):
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        self.begin_main_job()
        self.assert_works("first")
        self.assert_well()

    def test_02_what_the_running_units_are_exposed_to(self):
        """As systemd of this release reckons it, of what it has loaded."""
        paths = re.findall(r"/systemd/system/(tidegate\S*\.(?:service|socket))$", self.box.shell("dpkg -L tidegate"), re.MULTILINE)
        units = sorted(path.replace("@", "@1") for path in paths)
        self.assertGreaterEqual(len(units), 9, units)
        for unit in units:
            if unit.endswith(".service") and unit != "tidegate-return.service":
                code, said = self.box.run("systemd-analyze", "security", "--no-pager", "--threshold=12", unit, check=False)
                level = re.search(r"Overall exposure level for \S+: (\S+)", said)
                print(f"  {unit}: exposure {level[1] if level else 'unknown'}")
                self.assertTrue(code == 0 and level, said)
        found = self.box.run("systemd-analyze", "verify", "--man=no", *units, check=False)[1]
        self.assertEqual([line for line in found.splitlines() if "tidegate" in line], [])

    def test_03_reload_under_load(self):
        load, endpoints, core = self.start_load(), self.endpoint_pids(), self.main_pid()
        self.wait_readings()
        for number in range(3):
            self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION + f"clock: {{ believe_after_s = {200 + number}; }};\n")
            self.box.run("systemctl", "reload", "tidegate")
            self.wait_readings()
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION.replace("listen", "lisen"))
        self.box.run("systemctl", "reload", "tidegate", check=False)
        self.wait_readings()
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION)
        self.box.run("systemctl", "reload", "tidegate")
        self.wait_readings()
        summary = self.end_load(load)
        self.show("over five reloads", summary)
        self.assertEqual((self.main_pid(), self.endpoint_pids()), (core, endpoints))
        self.assertEqual((summary["sessions_lost"], summary["unanswered"]), (0, 0), summary)
        self.assert_well(r"lisen", r"configuration")

    def test_04_killed_under_load(self):
        load = self.start_load()
        self.wait_readings()
        core = self.main_pid()
        self.box.run("kill", "-9", core)
        wait_until(lambda: self.main_pid() not in (0, core), "systemd starts it again")
        self.wait_readings()
        for name in ("field", "cloud"):
            self.lose_endpoint(name, "-9")
        summary = self.end_load(load)
        self.show("over kills of the core and of each endpoint", summary)
        self.assert_well(*KILLED, *GONE)

    def lose_endpoint(self, name, signal):
        """Its process is sent a signal that it does not survive; another one takes its place."""
        before = self.endpoint_pids()
        self.box.run("kill", signal, *before[name])

        def another():
            now = self.endpoint_pids()
            return now[name] and not set(now[name]) & set(before[name])
        wait_until(another, f"{name} has another process", 180)
        self.wait_links()
        self.wait_readings()

    def test_05_hangs_under_load(self):
        """A core that makes no progress is ended by systemd, an endpoint that makes none by the core."""
        load = self.start_load()
        self.wait_readings()
        core, endpoints = self.main_pid(), self.endpoint_pids()
        self.box.run("kill", "-STOP", core)
        wait_until(lambda: self.main_pid() not in (0, core), "systemd ends it and starts it again", 240)
        self.wait_links()
        self.assertEqual(self.endpoint_pids(), endpoints)
        self.wait_readings()
        self.assertIn("Failed with result 'watchdog'", self.journal_since(self.cursor))
        for name in ("field", "cloud"):
            self.lose_endpoint(name, "-STOP")
        summary = self.end_load(load)
        self.show("over a core and endpoints that hang", summary)
        self.assert_well(*HUNG, *GONE)

    def begin_small_disk(self):
        """The state folder on a file system of its own, as a card that has one partition for it."""
        self.box.run("systemctl", "stop", "tidegate")
        self.box.shell(f"cp -a {STATE} /srv/kept && mount -t tmpfs -o size={SMALL_DISK_MIB}m,mode=700 small {STATE} && "
                       f"cp -aT /srv/kept {STATE}")
        self.box.write("/etc/tidegate/tidegate.conf", SMALL)
        self.box.run("systemctl", "start", "tidegate")
        self.wait_links()

    def end_small_disk(self):
        self.box.run("systemctl", "stop", "tidegate")
        self.box.shell(f"cp -aT {STATE} /srv/kept && umount {STATE} && cp -aT /srv/kept {STATE} && rm -r /srv/kept")
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION)
        self.box.run("systemctl", "start", "tidegate")
        self.wait_links()

    def fill_disk(self):
        """To the last byte, by somebody else."""
        self.box.shell(f"dd if=/dev/zero of={STATE}/junk bs=4k 2>/dev/null; printf x >>{STATE}/junk", check=False)
        self.assertEqual(self.box.shell(f"df --output=avail {STATE} | tail -n 1").strip(), "0")

    def refused(self):
        return self.status()["ledger"]["refused"].get("full", 0)

    def test_06_full_disk(self):
        self.begin_small_disk()
        restarts = self.restarts()
        load = self.start_load("--refused", "count", "--payload", "1000")
        self.wait_readings()
        self.box.run("systemctl", "stop", "mosquitto")
        wait_until(lambda: self.status()["outboxes"][0]["ledger"]["held"] > 100, "readings are held")
        before = self.refused()
        self.fill_disk()
        wait_until(lambda: self.refused() > before + 100, "full is said in honest words", 240)
        self.assertEqual(self.sensor.post("x" * 500), "5.03")
        self.assertTrue(self.status()["problems"])
        held = self.status()["outboxes"][0]["ledger"]["held"]
        self.assertGreater(held, 100)
        self.assertEqual(self.restarts(), restarts)
        self.assert_starts_on_a_full_disk()
        self.box.run("rm", f"{STATE}/junk")
        wait_until(lambda: self.sensor.post("there is room") == "2.04", "readings are taken again", 240)
        self.box.run("systemctl", "start", "mosquitto")
        self.arrived("there is room")
        self.wait_readings()
        summary = self.end_load(load)
        self.assertGreater(summary["refused"].get("5.03", 0), 100, summary)
        self.show("over a full disk", summary)
        print(f"  the journal says so {self.journal_since(self.cursor).count('the store cannot take messages')} times")
        self.end_small_disk()
        self.assert_works("the old disk")
        self.assert_well(*KILLED, "cloud", "broker", "store", "full", "refus", "cannot be (kept|written)")

    def assert_starts_on_a_full_disk(self):
        core = self.main_pid()
        self.box.run("kill", "-9", core)
        wait_until(lambda: self.main_pid() not in (0, core), "systemd starts it again")
        wait_until(lambda: self.status()["state"] == "running", "it runs, on a full disk")
        self.assertGreater(self.status()["outboxes"][0]["ledger"]["held"], 100)
        wait_until(lambda: self.sensor.post("x" * 500) == "5.03", "a reading is refused, in honest words")

    def test_07_the_plug_is_pulled_with_readings_held(self):
        self.box.run("systemctl", "disable", "--now", "mosquitto")
        wait_until(lambda: self.status()["endpoints"][1]["link"] != "up", "the link is down")
        held = [f"held-{number}" for number in range(10)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.box.reboot(hard=True)
        self.cursor = None
        wait_until(lambda: self.status()["outboxes"][0]["ledger"]["held"] == len(held), "they are still held")
        self.box.run("systemctl", "enable", "--now", "mosquitto")
        self.subscribe()
        for text in held:
            self.arrived(text)
        order = [line.split()[-1] for line in self.received if "held-" in line]
        self.assertEqual(list(dict.fromkeys(order)), held)
        self.assert_works("after the cut")
        self.assert_well("cloud", "broker")

    def test_08_reboot_under_load(self):
        load = self.start_load()
        self.wait_readings()
        self.box.power_off()
        load.wait(60)
        acknowledged = self.acknowledged()
        self.assertGreater(len(acknowledged), SENSORS)
        self.box.boot()
        self.cursor = None
        self.subscribe()
        self.wait_links()
        self.assert_works("booted")
        wait_until(lambda: not acknowledged - {tuple(line.split()[1:3]) for line in list(self.received)}, "every reading arrived")
        self.assert_well()

    def test_09_purged_nothing_is_left(self):
        self.subscriber.kill()
        self.box.apt("purge", "tidegate")
        self.box.run("rm", "-f", "/etc/mosquitto/conf.d/cloud.conf")
        self.assertEqual(self.box.shell("pgrep -u tidegate", check=False), "")
        self.assertEqual(sorted(self.list_files() - self.files_before), [])


if __name__ == "__main__":
    main(Hurt)
