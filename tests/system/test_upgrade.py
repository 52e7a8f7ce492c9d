# SPDX-License-Identifier: Apache-2.0
"""Upgrades to versions that are broken on purpose: each is taken back by itself, and nothing that was acknowledged is lost.

See plant.py for what this wants.
"""
import time

from authority import make_expired
from box import wait_until
from plant import CONFIGURATION, Heart, PlantCase, main

# A third of it all has to be well.
PROVE_S = 60
# The longest way back: it is watched to the end, a start that hangs ends, the packages are installed, the links come up.
BACK_S = PROVE_S + 300
RETURNED, PROVED = "2b6f1f0e3c8d4f0b9a57c1e2d4a6b833", "2b6f1f0e3c8d4f0b9a57c1e2d4a6b832"
DAEMON, ENDPOINT = "usr/sbin/tidegated", "usr/libexec/tidegate/tidegate-endpoint"
CONFFILE = "etc/tidegate/tidegate.conf"


def wrap(work, path, script):
    """Puts a script in the place of a program, which it finds beside itself."""
    program = work / path
    real = program.with_name(program.name + ".real")
    program.rename(real)
    program.write_text(f"#!/bin/sh\nreal=/{real.relative_to(work)}\n{script}\n", encoding="ascii")
    program.chmod(0o755)


def crash_at_start(work):
    wrap(work, DAEMON, 'case $* in *--check*) exec $real "$@" ;; esac\nkill -SEGV $$')


def hang_at_start(work):
    wrap(work, DAEMON, 'case $* in *--check*) exec $real "$@" ;; esac\nexec sleep infinity')


def spoil_the_data(work):
    """It makes the store its own, of a version that nobody else knows (SQLite's user_version), and crashes."""
    wrap(work, DAEMON, 'case $* in *--check*) exec $real "$@" ;; esac\n'
                       "printf '\\000\\002\\000\\002' | dd of=/var/lib/tidegate/outbox.db bs=1 seek=60 conv=notrunc\nkill -SEGV $$")


def drop_the_link(work):
    """It comes up, and goes after some seconds; and again."""
    wrap(work, ENDPOINT, 'case $* in *cloud*) (sleep 8; kill -9 $$) & ;; esac\nexec $real "$@"')


def refuse_the_configuration(work):
    wrap(work, DAEMON, 'case $* in *--check*) echo "no such setting: endpoints"; exit 78 ;; esac\nexec $real "$@"')


class Upgrade(PlantCase):
    """From one good version over many bad ones to another good one."""

    def dropin(self, unit, text):
        self.box.write(f"/etc/systemd/system/{unit}.d/test.conf", text)

    def upgrade(self, *packages):
        self.box.publish([*self.packages, *packages])
        return self.box.apt("-o", "Dpkg::Options::=--force-confold", "install", "--only-upgrade", "tidegate")[1]

    def place(self, name):
        path = self.box.root / "var/lib/tidegate-previous" / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def wait_outcome(self, word, deadline_s=BACK_S):
        """Until the upgrade has come to its end, which has to be this one, and is told."""
        wait_until(lambda: self.place("outcome") and not self.place("trial"), f"it ends with '{word}'", deadline_s)
        self.assertEqual(self.place("outcome").splitlines()[0], word, self.story())
        self.wait_links()
        status = self.status()
        self.assertEqual(status["upgrade"]["state"], word)
        told = any("did not prove itself" in problem for problem in status["problems"])
        self.assertEqual(told, word == "returned", status["problems"])

    def story(self):
        return self.box.shell("journalctl -b -n 150 --no-pager -u tidegate -u tidegate-trial -u tidegate-return", check=False)

    def forget_outcome(self):
        self.box.shell("rm -f /var/lib/tidegate-previous/outcome")

    def installed(self):
        return self.installed_version().split()[-1]

    def assert_whole(self, version):
        """This version is there as dpkg had unpacked it, and dpkg knows it."""
        self.assertEqual(self.installed_version(), f"install ok installed {version}")
        self.assertEqual(self.box.shell("dpkg --audit"), "")
        changed = self.box.shell("dpkg --verify tidegate", check=False)
        self.assertEqual([line for line in changed.splitlines() if CONFFILE not in line], [])
        self.assertEqual(self.box.read(CONFFILE), CONFIGURATION)
        self.assertEqual(self.box.shell("dpkg-query -W -f '${Conffiles}' tidegate | grep -c tidegate.conf").strip(), "1")
        self.assertEqual(self.conffile_sum(), self.first_sum)

    def conffile_sum(self):
        return self.box.shell("dpkg-query -W -f '${Conffiles}' tidegate | grep tidegate.conf").split()[1]

    def assert_balanced(self):
        status = self.status()
        for outbox in status["outboxes"]:
            ledger = outbox["ledger"]
            self.assertEqual(ledger["accepted"], ledger["delivered"] + ledger["held"] + sum(ledger["dropped"].values()), ledger)
        self.assertTrue(status["ledger"]["balanced"])

    def assert_told(self, message_id, version):
        said = self.box.shell(f"journalctl -b -q -o cat MESSAGE_ID={message_id}", check=False)
        self.assertIn(version, said)

    def assert_nothing_lost(self, heart):
        for text in heart.acknowledged:
            self.arrived(text)
        self.assert_balanced()

    def assert_comes_back(self, suffix, change, while_it_is_tried=lambda: None):
        good, bad = self.installed(), f"{self.version}{suffix}"
        heart = Heart(self.sensor, f"beat{suffix}")
        heart.start()
        heart.wait_beats(2)
        self.forget_outcome()
        said = self.upgrade(self.newer(suffix, change))
        self.assertEqual(self.installed(), bad, said)
        begin = time.monotonic()
        while_it_is_tried()
        self.wait_outcome("returned")
        print(f"  {suffix}: back after {time.monotonic() - begin:.0f} s, limit {PROVE_S} s: {self.place('outcome').splitlines()[1]}")
        heart.wait_beats(3)
        heart.end()
        self.assert_whole(good)
        self.assert_nothing_lost(heart)
        self.assert_told(RETURNED, bad)
        self.assert_works(f"works{suffix}")
        print(f"  {suffix}: {heart.sent} readings sent, {len(heart.acknowledged)} acknowledged, none lost")

    def test_01_a_gateway_at_work(self):
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        type(self).first_sum = self.conffile_sum()
        self.dropin("tidegate-trial.service", f"[Service]\nEnvironment=SECONDS_TO_PROVE={PROVE_S}\n")
        self.box.run("systemctl", "daemon-reload")
        self.begin_main_job()
        self.assert_works("first")

    def test_02_a_good_version_stays(self):
        good = f"{self.version}+1"
        heart = Heart(self.sensor, "good")
        heart.start()
        heart.wait_beats(2)
        self.upgrade(self.newer("+1"))
        self.assertEqual(self.status()["upgrade"]["state"], "trial")
        kept = self.box.shell("stat -c '%a %U' /var/lib/tidegate-previous /var/lib/tidegate-previous/packages")
        self.assertEqual(kept, "755 root\n755 root\n")
        self.wait_outcome("proved")
        heart.wait_beats(2)
        heart.end()
        self.assert_whole(good)
        self.assert_nothing_lost(heart)
        self.assert_told(PROVED, good)

    def test_03_crashes_at_start(self):
        def change(work):
            crash_at_start(work)
            # A new default, which nobody wants who has one of his own; on the way back it is not to be taken for the operator's.
            for path in (work / CONFFILE, work / "usr/share/tidegate/conffiles/tidegate.conf"):
                path.write_text(path.read_text(encoding="utf-8") + "# a newer default\n", encoding="utf-8")
        self.assert_comes_back("+2", change)

    def test_04_hangs_at_start_while_the_broker_is_away(self):
        """What waits on disk waits on."""
        self.box.run("systemctl", "stop", "mosquitto")
        wait_until(lambda: self.status()["endpoints"][1]["link"] != "up", "the link is down")
        held = [f"held-{number}" for number in range(5)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.forget_outcome()
        self.upgrade(self.newer("+3", hang_at_start))
        wait_until(lambda: self.place("outcome") and not self.place("trial"), "it comes back", BACK_S)
        self.assertEqual(self.place("outcome").splitlines()[0], "returned", self.story())
        self.assertEqual(self.installed(), f"{self.version}+1")
        self.box.run("systemctl", "start", "mosquitto")
        for text in held:
            self.arrived(text)
        self.wait_links()
        self.assert_balanced()
        self.assert_whole(f"{self.version}+1")

    def test_05_drops_its_cloud_link(self):
        self.assert_comes_back("+4", drop_the_link)

    def test_06_has_an_expired_certificate_built_in(self):
        make_expired(self.pki, "expired")

        def change(work):
            for ending in ("crt", "key"):
                built_in = work / f"usr/share/tidegate/cloud.{ending}"
                built_in.write_bytes((self.pki / f"expired.{ending}").read_bytes())
                built_in.chmod(0o600 if ending == "key" else 0o644)
            unit = work / next(path for path in ("lib/systemd/system", "usr/lib/systemd/system") if (work / path).exists())
            (unit / "tidegate.service.d/built-in.conf").write_text(
                "[Service]\nExecStartPre=+chown tidegate /usr/share/tidegate/cloud.key\n"
                "BindReadOnlyPaths=/usr/share/tidegate/cloud.crt:/etc/tidegate/pki/cloud.crt\n"
                "BindReadOnlyPaths=/usr/share/tidegate/cloud.key:/etc/tidegate/pki/cloud.key\n", encoding="ascii")
        self.assert_comes_back("+5", change)

    def test_07_refuses_the_configuration(self):
        """At once: the one before takes it."""
        self.assert_comes_back("+6", refuse_the_configuration)

    def test_08_a_power_cut_while_it_is_tried(self):
        for suffix, change, word, version in (("+7", hang_at_start, "returned", "+1"), ("+8", None, "proved", "+8")):
            self.forget_outcome()
            self.upgrade(self.newer(suffix, change))
            self.assertNotEqual(self.place("trial"), "", self.story())
            self.box.reboot(hard=True)
            self.subscribe()
            self.wait_outcome(word)
            self.assert_whole(f"{self.version}{version}")
            self.assert_works(f"after{suffix}")
            self.assert_balanced()

    def test_09_a_power_cut_while_it_is_installed(self):
        """In the middle of dpkg: one of the two is there afterwards, and works."""
        self.forget_outcome()
        self.box.publish([*self.packages, self.newer("+9")])
        apt = self.box.follow("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install", "--only-upgrade", "tidegate")
        wait_until(lambda: self.place("unpacking"), "the version before is kept, and the new one is being unpacked")
        self.box.reboot(hard=True)
        apt.wait(60)
        self.subscribe()
        wait_until(lambda: not any(map(self.place, ("unpacking", "trial", "returning"))), "it has come to an end", BACK_S)
        self.assertIn(self.installed(), (f"{self.version}+8", f"{self.version}+9"))
        print(f"  cut in the middle: {self.installed_version()}")
        self.assert_whole(self.installed())
        self.wait_links()
        self.assert_works("after the cut")
        self.assert_balanced()

    def test_10_spoils_the_data(self):
        """The version before goes on with the copy of before the trial; what was there is set aside."""
        self.assert_comes_back("+10", spoil_the_data)
        self.assertIn("outbox.db", self.box.shell("ls /var/lib/tidegate/newer-*"))
        self.assertIn("a newer version of tidegate made it", self.box.shell("journalctl -b -u tidegate"))

    def test_11_twice_is_enough(self):
        bad = f"{self.version}+11"
        package = self.newer("+11", refuse_the_configuration)
        for _ in range(2):
            self.forget_outcome()
            self.upgrade(package)
            self.wait_outcome("returned")
        before = self.installed()
        code, said = self.box.apt("install", "--only-upgrade", "tidegate", check=False)
        self.assertNotEqual(code, 0)
        self.assertIn(f"version {bad} was here twice", said)
        self.assert_whole(before)
        self.assert_works("not a third time")

    def test_12_purged_nothing_is_left(self):
        self.subscriber.kill()
        self.box.apt("purge", "tidegate")
        self.assertEqual(self.box.shell("ls -d /var/lib/tidegate* /etc/tidegate /var/lib/systemd/*/*tidegate* 2>/dev/null", check=False), "")
        self.assertEqual(self.box.shell("systemctl list-unit-files --no-legend 'tidegate*'", check=False).strip(), "")


if __name__ == "__main__":
    main(Upgrade)
