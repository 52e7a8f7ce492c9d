# SPDX-License-Identifier: Apache-2.0
"""The package on a kernel that has AppArmor: the service does its work within its profile, and cannot leave it.

Wants root, the packages, mmdebstrap, and qemu (a whole machine without hardware's help: some minutes); see plant.py for the rest.
"""
import json
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from authority import make_certificates
from box import call, wait_until
from machine import DEADLINE_S, Machine
from plant import PACKAGES, RELEASE, PlantCase, main

SUBSCRIBER = ("nohup stdbuf -oL mosquitto_sub -d -h localhost -p 8883 --cafile /srv/pki/cloud-ca.crt --cert /srv/pki/subscriber.crt --key "
              "/srv/pki/subscriber.key -V 5 -q 1 -t 'plant-7/#' -F '%t %p' >/run/received 2>&1 &")
PROFILE = "/etc/apparmor.d/tidegated"


class Confined(PlantCase):
    """One life of a machine, told in the order of the names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="tidegate-machine-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.packages = sorted(PACKAGES.glob("tidegate_*.deb"))
        if len(cls.packages) != 1:
            raise FileNotFoundError(f"not one package of tidegate in {PACKAGES}: packaging/build-deb makes it")
        cls.box = Machine(cls.folder, RELEASE, cls.packages, ["apparmor", "apparmor-utils"])
        cls.addClassCleanup(cls.box.power_off)
        shutil.copy(cls.packages[0], cls.box.root / "srv/tidegate.deb")
        cls.box.prepare()
        cls.pki = cls.folder / "pki"
        make_certificates(cls.pki, cls.certificate_days)
        cls.box.boot()

    def subscribe(self):
        self.box.shell(SUBSCRIBER)
        wait_until(lambda: "Subscribed (mid" in self.box.shell("cat /run/received"), "the subscriber is there", DEADLINE_S)

    def arrived(self, text):
        topic = f"plant-7/hall-3/pump-1/temperature {text}"
        wait_until(lambda: topic in self.box.shell("cat /run/received").splitlines(), f"'{text}' arrived", DEADLINE_S)

    def refusals(self):
        return [line for line in self.box.shell("dmesg").splitlines() if 'apparmor="DENIED"' in line]

    def assert_confined(self, least):
        lines = self.box.shell("ps -eo label,comm | grep tidegate").splitlines()
        self.assertGreaterEqual(len(lines), least, lines)
        self.assertEqual([line for line in lines if not line.startswith("tidegated (enforce)")], [])

    def test_1_it_comes_up_within_its_profile(self):
        self.assertEqual(self.box.shell("aa-enabled").strip(), "Yes")
        self.box.run("dpkg", "-i", "/srv/tidegate.deb")
        wait_until(lambda: self.box.shell("systemctl is-active tidegate", check=False).strip() == "active", "it is up", DEADLINE_S)
        self.assert_confined(2)
        self.assertEqual(self.refusals(), [])

    def test_2_the_main_job(self):
        self.begin_main_job()
        self.assert_works("first")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_3_restart_crash_and_the_operators_tools(self):
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        before = self.main_pid()
        self.box.run("kill", "-9", before)
        wait_until(lambda: self.main_pid() not in (0, before), "systemd starts it again", DEADLINE_S)
        self.wait_links()
        for pids in [endpoint["pids"] for endpoint in self.status()["endpoints"]]:
            self.box.run("kill", "-9", *pids)
        wait_until(lambda: all(endpoint["restarts"] for endpoint in self.status()["endpoints"]), "they are started again", DEADLINE_S)
        self.wait_links()
        self.box.run("tidegatectl", "diag", "/var/backups/diag.tar.gz")
        lines = json.loads(self.box.run("tidegatectl", "--json", "audit", "--no-updates", check=False)[1])["lines"]
        self.assertEqual([line for line in lines if line["state"] == "fail"], [])
        self.assert_works("second")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_4_an_upgrade_proves_itself(self):
        """The copy of the data, which the service makes for that time, is made within the profile too."""
        self.box.shell("cd /srv && dpkg-deb -R tidegate.deb newer && sed -i 's/^Version: .*/&+1/' newer/DEBIAN/control && "
                       "dpkg-deb --root-owner-group -Znone -b newer newer.deb")
        self.box.run("dpkg", "-i", "/srv/newer.deb")
        self.assertIn("devices.db", self.box.shell("ls /var/lib/tidegate/previous").split())
        wait_until(lambda: self.box.shell("cat /var/lib/tidegate-previous/outcome", check=False).startswith("proved"),
                   "the new version has proved itself", DEADLINE_S)
        self.wait_links()
        self.assert_works("upgraded")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_5_a_library_among_the_configuration(self):
        """As the setting `types` of DDS names one."""
        self.box.shell("cp $(ldconfig -p | sed -n 's/.*libz.so.1 .*=> //p' | head -n 1) /etc/tidegate/types.so")
        said = self.box.run("aa-exec", "-p", "tidegated", "--", "sh", "-c", "LD_PRELOAD=/etc/tidegate/types.so cat /etc/hostname")[1]
        self.assertEqual(said, "box-1\n")
        self.box.run("rm", "/etc/tidegate/types.so")
        self.assertEqual(self.refusals(), [])

    def test_6_what_the_profile_forbids(self):
        self.box.write("/var/backups/secret", "secret\n")
        for command in ("cat /var/backups/secret", "cat /etc/shadow", "echo x >/etc/tidegate/tidegate.conf", "echo x >/usr/sbin/x", "dpkg --version", "mount -t tmpfs x /mnt"):
            code, said = self.box.run("aa-exec", "-p", "tidegated", "--", "sh", "-c", command, check=False)
            self.assertNotEqual(code, 0, f"{command}: {said}")
            self.assertRegex(said, "(?i)permission denied|not permitted|must be superuser", command)
        self.assertTrue(self.refusals())

    def test_7_it_starts_without_its_profile_too(self):
        self.box.run("systemctl", "stop", "tidegate")
        self.box.run("apparmor_parser", "-R", PROFILE)
        self.box.run("systemctl", "start", "tidegate")
        self.wait_links()
        self.assert_works("third")

    def test_8_purge_takes_the_profile_with_it(self):
        self.box.run("apparmor_parser", "-r", PROFILE)
        self.box.run("dpkg", "--purge", "tidegate")
        self.assertEqual(self.box.shell("find /etc/apparmor.d -name 'tidegated*'"), "")


if __name__ == "__main__":
    if platform.machine() != "x86_64" or not shutil.which("qemu-system-x86_64"):
        print("SKIPPED: no qemu-system-x86_64 here: the AppArmor profile was NOT tested")
        sys.exit(77)
    call("mke2fs", "-V")
    main(Confined)
