# SPDX-License-Identifier: Apache-2.0
"""Upgrades to versions that are broken on purpose: each is taken back by itself, with the package of an adapter, and nothing that was
acknowledged is lost.

--short ends behind the first three: one that cannot start goes, and one that is good stays. See plant.py for what this wants.
"""
import sys
import time

from authority import make_expired
from box import call, wait_until
from plant import CONFIGURATION, PACKAGES, Heart, PlantCase, main

SHORT_STEPS = 3
# How long a version has to prove itself; for a third of it all has to be well. What is broken need not have as long.
PROVE_S, BROKEN_S = 60, 20
# The longest way back: it is watched to the end, a start that hangs ends, the packages are installed, the links come up.
BACK_S = PROVE_S + 300
CATALOGUE = """
  , { name = "catalogue"; adapter = "hypercat"; listen = "https://[::]:8443";
    certificate = "/var/lib/tidegate/identity/gateway.crt"; key = "/var/lib/tidegate/identity/gateway.key"; }
);
routes: (
  { name = "shown"; from = "field"; match = "shown/{path}"; to = "catalogue"; address = "{path}"; },
"""
SOCKETS = ("tidegate.socket", "tidegate-hello.socket", "tidegate-cookie.socket")
RETURNED, PROVED, BEGUN = (f"2b6f1f0e3c8d4f0b9a57c1e2d4a6b83{digit}" for digit in "321")
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
    wrap(work, ENDPOINT, 'case $* in *cloud*) (sleep 3; kill -9 $$) & ;; esac\nexec $real "$@"')


def refuse_the_configuration(work):
    wrap(work, DAEMON, 'case $* in *--check*) echo "no such setting: endpoints"; exit 78 ;; esac\nexec $real "$@"')


def want_a_library(work):
    control = work / "DEBIAN/control"
    control.write_text(control.read_text(encoding="utf-8").replace("\nDepends: ", "\nDepends: library | another-library (>= 7), "), encoding="utf-8")


def without_sockets(work):
    """As before the service manager held the port."""
    units = next(work / path for path in ("lib/systemd/system", "usr/lib/systemd/system") if (work / path).exists())
    for name in SOCKETS:
        (units / name).unlink()
    service = units / "tidegate.service"
    lines = [line for line in service.read_text(encoding="utf-8").splitlines(True) if "tidegate.socket" not in line]
    service.write_text("".join(lines), encoding="utf-8")


class Upgrade(PlantCase):
    """From one good version over many bad ones to another good one."""

    configuration = CONFIGURATION.replace("\n);\nroutes: (\n", CATALOGUE)
    adapters = ("tidegate-hypercat",)

    def dropin(self, unit, text):
        self.box.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.box.run("systemctl", "daemon-reload")

    def give(self, seconds):
        """How long a version has."""
        self.dropin("tidegate-trial.service", f"[Service]\nEnvironment=SECONDS_TO_PROVE={seconds}\n")

    def version_of(self, suffix, change=None):
        """All packages of a version."""
        self.give(BROKEN_S if change else PROVE_S)
        return [self.newer(suffix, change), *(self.newer(suffix, package=path) for path in self.packages[1:])]

    def upgrade(self, packages, *words):
        self.box.publish([*self.packages, *packages])
        return self.box.apt("-o", "Dpkg::Options::=--force-confold", "-o", "DPkg::Lock::Timeout=300", "install", "tidegate", *words)[1]

    def place(self, name):
        path = self.box.root / "var/lib/tidegate-previous" / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def wait_outcome(self, word, deadline_s=BACK_S):
        """Until the upgrade has come to its end, which has to be this one, and is told."""
        wait_until(lambda: self.place("outcome") and not self.place("trial"), f"it ends with '{word}'", deadline_s)
        self.assertEqual(self.place("outcome").splitlines()[0], word, self.place("outcome"))
        self.wait_links()
        status = self.status()
        self.assertEqual(status["upgrade"]["state"], word)
        told = any("did not prove itself" in problem for problem in status["problems"])
        self.assertEqual(told, word == "returned", status["problems"])

    def forget_outcome(self):
        self.box.shell("rm -f /var/lib/tidegate-previous/outcome")

    def installed(self):
        return self.installed_version().split()[-1]

    def assert_whole(self, version):
        """This version is there as dpkg had unpacked it, with its adapter, and dpkg and apt know it."""
        names = ("tidegate", *self.adapters)
        found = self.box.shell("dpkg-query -W -f '${Package} ${Status} ${Version}\\n' 'tidegate*' | grep -v not-installed")
        self.assertEqual(found.splitlines(), [f"{name} install ok installed {version}" for name in names])
        self.assertEqual(self.box.shell("dpkg --audit"), "")
        self.box.run("apt-get", "check")
        changed = self.box.shell(f"dpkg --verify {' '.join(names)}", check=False)
        self.assertEqual([line for line in changed.splitlines() if CONFFILE not in line], [])
        self.assertEqual(self.box.read(CONFFILE), self.configuration)
        self.assertEqual(self.box.shell("dpkg-query -W -f '${Conffiles}' tidegate | grep -c tidegate.conf").strip(), "1")
        self.assertEqual(self.conffile_sum(), self.first_sum)

    def conffile_sum(self):
        return self.box.shell("dpkg-query -W -f '${Conffiles}' tidegate | grep tidegate.conf").split()[1]

    def assert_told(self, message_id, version):
        said = self.box.shell(f"journalctl -b -q -o cat MESSAGE_ID={message_id}", check=False)
        self.assertIn(version, said)

    def assert_nothing_lost(self, heart):
        for text in heart.acknowledged:
            self.arrived(text)
        self.assert_balanced()

    def assert_comes_back(self, suffix, change, *words, along=(), while_it_is_tried=lambda: None):
        """Whatever takes the place of this version meanwhile, the good one is the one that comes back."""
        good, bad = self.installed(), f"{self.version}{suffix}"
        heart = Heart(self.sensor, f"beat{suffix}")
        heart.start()
        heart.wait_beats(2)
        self.forget_outcome()
        said = self.upgrade([*self.version_of(suffix, change), *along], *words)
        self.assertIn(f"Setting up tidegate ({bad})", said)
        begin = time.monotonic()
        while_it_is_tried()
        self.wait_outcome("returned")
        print(f"  {suffix}: back after {time.monotonic() - begin:.0f} s, limit {BROKEN_S} s: {self.place('outcome').splitlines()[1]}")
        heart.wait_beats(3)
        heart.end()
        self.assert_whole(good)
        self.assert_nothing_lost(heart)
        self.assert_told(RETURNED, self.place("failed").splitlines()[-1])
        self.assert_works(f"works{suffix}")
        print(f"  {suffix}: {heart.sent} readings sent, {len(heart.acknowledged)} acknowledged, none lost")

    def sockets(self):
        return self.box.shell(f"systemctl is-active {' '.join(SOCKETS)}", check=False).split()

    def test_01_a_gateway_at_work(self):
        """One that binds its port itself."""
        old = self.version_of("~0", without_sockets)
        self.box.publish(old)
        self.box.apt("install", "tidegate", *self.adapters)
        type(self).first_sum = self.conffile_sum()
        self.begin_main_job()
        self.assert_works("first")
        self.assertNotIn("active", self.sockets())
        self.box.publish([*self.packages, *old])

    def test_02_crashes_at_start(self):
        def change(work):
            crash_at_start(work)
            # A new default, which nobody wants who has one of his own; on the way back it is not to be taken for the operator's.
            for path in (work / CONFFILE, work / "usr/share/tidegate/conffiles/tidegate.conf"):
                path.write_text(path.read_text(encoding="utf-8") + "# a newer default\n", encoding="utf-8")
        self.assert_comes_back("+1", change)
        self.assertNotIn("active", self.sockets())

    def test_03_a_good_version_stays(self):
        """With sockets of the service manager, where the one before had none."""
        good = f"{self.version}+2"
        heart = Heart(self.sensor, "good")
        heart.start()
        heart.wait_beats(2)
        self.upgrade(self.version_of("+2"))
        self.assertEqual(self.status()["upgrade"]["state"], "trial")
        kept = self.box.shell("stat -c '%a %U' /var/lib/tidegate-previous /var/lib/tidegate-previous/packages")
        self.assertEqual(kept, "755 root\n755 root\n")
        self.wait_outcome("proved")
        heart.wait_beats(2)
        heart.end()
        self.assert_whole(good)
        self.assert_nothing_lost(heart)
        self.assert_told(PROVED, good)
        self.assertEqual(self.sockets(), ["active"] * 3)
        self.assertEqual(self.box.shell("systemctl list-units --failed --no-legend 'tidegate*'"), "")

    def test_04_hangs_at_start_while_the_broker_is_away(self):
        """What waits on disk waits on."""
        good = self.installed()
        self.box.run("systemctl", "stop", "mosquitto")
        wait_until(lambda: self.status()["endpoints"][1]["link"] != "up", "the link is down")
        held = [f"held-{number}" for number in range(5)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.forget_outcome()
        self.upgrade(self.version_of("+3", hang_at_start))
        wait_until(lambda: self.place("outcome") and not self.place("trial"), "it comes back", BACK_S)
        self.assertEqual(self.place("outcome").splitlines()[0], "returned")
        self.assertEqual(self.installed(), good)
        self.box.run("systemctl", "start", "mosquitto")
        for text in held:
            self.arrived(text)
        self.wait_links()
        self.assert_balanced()
        self.assert_whole(good)

    def test_05_drops_its_cloud_link(self):
        """Another adapter has come along with it, which goes again; a configuration that was confirmed meanwhile stays."""
        def change_the_configuration():
            type(self).configuration += "# confirmed while a version was on trial\n"
            self.box.write("/srv/new.conf", self.configuration)
            self.box.run("tidegatectl", "config", "apply", "/srv/new.conf", "--confirm", "120")
            self.box.run("tidegatectl", "config", "confirm")
        amqp = self.newer("+4", package=next(PACKAGES.glob("tidegate-amqp_*.deb")))
        self.assert_comes_back("+4", drop_the_link, "tidegate-amqp", along=[amqp], while_it_is_tried=change_the_configuration)

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
        for suffix, change, word, version in (("+7", crash_at_start, "returned", "+2"), ("+8", None, "proved", "+8")):
            self.forget_outcome()
            packages = self.version_of(suffix, change)
            self.give(PROVE_S)
            self.upgrade(packages)
            self.assertNotEqual(self.place("trial"), "")
            self.give(BROKEN_S if change else PROVE_S)
            self.box.reboot(hard=True)
            self.subscribe()
            self.wait_outcome(word)
            self.assert_whole(f"{self.version}{version}")
            self.assert_works(f"after{suffix}")
            self.assert_balanced()

    def test_09_a_power_cut_while_it_is_installed(self):
        """In the middle of dpkg: one of the two is there afterwards, and works."""
        self.forget_outcome()
        self.box.publish([*self.packages, *self.version_of("+9")])
        apt = self.box.follow("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install", "tidegate")
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

    def test_10_spoils_the_data_and_then_another_one_crashes(self):
        """The version before goes on with the copy of before the first of the two; what was there is set aside."""
        another = self.version_of("+10a", crash_at_start)
        self.assert_comes_back("+10", spoil_the_data, while_it_is_tried=lambda: self.upgrade(another))
        self.assertIn("outbox.db", self.box.shell("ls /var/lib/tidegate/newer-*"))
        self.assertIn("a newer version of tidegate made it", self.box.shell("journalctl -b -u tidegate"))
        self.assertIn(f"{self.version}+10a did not prove itself", self.place("outcome"))
        self.assertIn("so are the data of before", self.place("outcome"))

    def test_11_a_repair_while_a_bad_version_is_tried(self):
        """It is tried in the place of that, and stays; an endpoint that the operator takes away meanwhile is none that was lost."""
        before = self.installed()
        self.forget_outcome()
        bad, repair = self.version_of("+11", crash_at_start), self.version_of("+12")
        self.upgrade(bad)
        self.assertEqual(self.installed(), f"{self.version}+11")
        self.assertNotEqual(self.place("trial"), "")
        self.upgrade(repair)
        self.assertNotEqual(self.place("trial"), "")
        self.wait_links()
        self.wait_looks()
        type(self).configuration = CONFIGURATION
        self.box.write(CONFFILE, self.configuration)
        self.box.run("systemctl", "reload", "tidegate")
        self.wait_outcome("proved")
        self.assertEqual(self.place("outcome").splitlines()[1], f"version {self.version}+12 has proved itself in the place of {before}")
        self.assert_whole(f"{self.version}+12")
        self.assert_works("repaired")

    def wait_looks(self):
        """Until the one that looks has done so: it has waited for answers, and a second after each look."""
        pid = self.box.shell("pgrep -x tidegate-prove").strip()

        def waits():
            return int(self.box.shell(f"sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' /proc/{pid}/status"))
        before = waits()
        wait_until(lambda: waits() >= before + 6, "the gateway has been looked at")

    def make_package(self, name, path, preinst="exit 0"):
        """One with nothing in it."""
        work = self.folder / name
        (work / "DEBIAN").mkdir(parents=True)
        (work / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n"
                                             "Description: nothing\n", encoding="ascii")
        script = work / "DEBIAN/preinst"
        script.write_text(f"#!/bin/sh\n{preinst}\n", encoding="ascii")
        script.chmod(0o755)
        call("dpkg-deb", "--root-owner-group", "-b", work, path)
        return path

    def hold_dpkg(self, path):
        """A package that keeps dpkg busy until a version is to come back."""
        self.make_package("hold", path, "until [ -e /var/lib/tidegate-previous/returning ]; do sleep 1; done\nsleep 3")

    def unpack(self, packages):
        """As when dpkg ends behind that."""
        self.box.publish(packages, update=False)
        self.box.shell("dpkg --force-confold --unpack /srv/packages/*.deb")

    def install_adapter_again(self):
        self.box.apt("install", "--reinstall", self.adapters[0])
        self.assertEqual(self.place("unpacking"), "")

    def test_12_another_one_is_installed_while_the_one_before_comes_back(self):
        """As its files are to be replaced it comes between; as that one starts it waits. Either way the newest one is tried."""
        before = self.installed()
        newest = self.version_of("+15")
        between = self.version_of("+14", crash_at_start)
        self.forget_outcome()
        self.upgrade(self.version_of("+13", crash_at_start))
        self.hold_dpkg(self.box.root / "srv/hold.deb")
        self.box.publish([*self.packages, *between, *newest])
        files = [f"/srv/packages/{path.name}" for path in between]
        said = self.box.run("dpkg", "--force-confold", "--install", "/srv/hold.deb", *files, deadline_s=300)[1]
        self.assertIn(f"Setting up tidegate ({self.version}+14)", said)
        self.assertEqual(self.place("failed").splitlines()[-1], f"{self.version}+13")
        wait_until(lambda: self.place("returning"), "the one before comes back again", BACK_S)
        self.give(PROVE_S)
        self.upgrade(newest)
        self.wait_outcome("proved")
        self.assert_whole(f"{self.version}+15")
        self.assert_works("newest")
        self.assertIn(f"{self.version}+14", self.place("failed").splitlines())
        print(f"  {before}, and after two bad ones: {self.place('outcome').splitlines()[1]}")

    def test_13_twice_is_enough(self):
        bad = f"{self.version}+16"
        packages = self.version_of("+16", refuse_the_configuration)
        for _ in range(2):
            self.forget_outcome()
            self.upgrade(packages)
            self.wait_outcome("returned")
        before = self.installed()
        code, said = self.box.apt("install", "tidegate", check=False)
        self.assertNotEqual(code, 0)
        self.assertIn(f"version {bad} was here twice", said)
        self.assert_whole(before)
        self.assert_works("not a third time")

    def test_14_an_adapter_is_installed_alone(self):
        """That is no upgrade of the gateway, and a trial goes on behind it."""
        self.forget_outcome()
        self.box.publish(sorted(self.folder.glob(f"*_{self.installed()}.deb")))
        self.install_adapter_again()
        self.assertEqual(self.place("trial"), "")
        library = self.make_package("library", self.folder / "library.deb")
        packages = [*self.version_of("+17", want_a_library), library]
        self.give(PROVE_S)
        self.upgrade(packages)
        self.install_adapter_again()
        self.assertEqual(self.box.shell("systemctl is-active tidegate-trial.service"), "active\n")
        self.wait_outcome("proved")
        self.assert_whole(f"{self.version}+17")

    def test_15_a_power_cut_while_a_repair_is_unpacked(self):
        """During the trial of another one: the way back has its way alone, and neither of the two has failed."""
        before = self.installed()
        self.forget_outcome()
        repair = self.version_of("+19")
        self.upgrade(self.version_of("+18"))
        self.unpack(repair)
        self.assertNotIn("", (self.place("trial"), self.place("unpacking")))
        self.box.reboot(hard=True)
        self.subscribe()
        self.wait_outcome("returned")
        self.assertEqual(self.box.shell("systemctl show -P ConditionResult tidegate-trial.service"), "no\n")
        self.assertEqual(self.box.shell(f"journalctl -b -q -o cat MESSAGE_ID={BEGUN}", check=False), "")
        self.assertIn("the upgrade was cut short", self.place("outcome"))
        self.assertNotRegex(self.place("failed"), r"\+1[89]$")
        self.assert_whole(before)
        self.assert_works("after a repair was cut short")

    def set_aside(self):
        return self.box.shell("ls -d /var/lib/tidegate/newer-* /etc/tidegate/refused-*", check=False)

    def test_16_stopped_while_it_is_tried(self):
        """A service that the operator has stopped is none that cannot read its data: they are as they were, and it stays stopped."""
        before, aside = self.installed(), self.set_aside()
        self.forget_outcome()
        packages = self.version_of("+20", drop_the_link)
        self.give(PROVE_S)
        self.upgrade(packages)
        self.box.run("systemctl", "stop", "mosquitto")
        held = [f"held-by-the-stopped-{number}" for number in range(3)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.box.run("systemctl", "disable", "--now", "tidegate.service")
        wait_until(lambda: self.place("outcome") and not self.place("trial"), "it comes back", BACK_S)
        self.assertRegex(self.place("outcome"), r"^returned\n.*; it is stopped, as the other one was\n$")
        self.assertEqual(self.box.shell("systemctl is-active tidegate.service", check=False), "inactive\n")
        self.assertEqual(self.set_aside(), aside)
        self.box.run("systemctl", "start", "mosquitto")
        self.box.run("systemctl", "enable", "--now", "tidegate.service")
        for text in held:
            self.arrived(text)
        self.wait_links()
        self.assert_balanced()
        self.assert_whole(before)

    def test_17_what_the_version_before_needs_is_gone(self):
        """Then the new one is not touched, until that can be had again. One that was never configured is not kept either."""
        before, bad = self.installed(), self.version_of("+22", crash_at_start)
        self.forget_outcome()
        self.unpack(self.version_of("+21"))
        self.dropin("tidegate-return.service", "[Service]\nRestartSec=10\n")
        self.give(BROKEN_S)
        self.upgrade(bad)
        self.assertEqual(self.place("version"), f"{before}\n")
        self.box.run("dpkg", "--purge", "library")
        wait_until(lambda: "it needs library | another-library (>= 7)" in self.place("outcome"), "the version before cannot come back", BACK_S)
        self.assertEqual(self.installed_version(), f"install ok installed {self.version}+22")
        self.box.publish([*bad, self.folder / "library.deb"], update=False)
        wait_until(lambda: self.place("outcome").startswith("returned"), "it is tried again", BACK_S)
        self.wait_outcome("returned")
        self.assert_whole(before)
        self.assert_works("with its library")

    def test_18_purged_nothing_is_left(self):
        self.subscriber.kill()
        self.box.shell("mkdir /var/lib/tidegate-previous.new")
        self.box.apt("purge", "tidegate", *self.adapters)
        self.assertEqual(self.box.shell("ls -d /var/lib/tidegate* /etc/tidegate /var/lib/systemd/*/*tidegate* 2>/dev/null", check=False), "")
        self.assertEqual(self.box.shell("systemctl list-unit-files --no-legend 'tidegate*'", check=False).strip(), "")


if __name__ == "__main__":
    main(Upgrade, steps=SHORT_STEPS if "--short" in sys.argv else None)
