# SPDX-License-Identifier: Apache-2.0
"""tidegatectl setup: from a gateway that has nothing to do to one that does its job, and no harm where something is wrong."""
import os
import pty
import re
import shutil
import subprocess

from harness import BUILD, GatewayCase, Sensor, main


class Setup(GatewayCase):
    links = []

    def configuration(self, **changes):
        return 'gateway: { name = "new"; };\n'

    def setUp(self):
        super().setUp()
        self.identity = self.gateway.folder / "identity"
        self.identity.mkdir()
        for name, source in {"gateway.crt": self.pki.certificate("gateway"), "gateway.key": self.pki.key("gateway"),
                             "devices-ca.crt": self.pki.certificate("devices-ca")}.items():
            shutil.copy(source, self.identity / name)
        self.before = self.gateway.file.read_text(encoding="utf-8")

    def options(self, **changes):
        options = {"file": self.gateway.file, "listen": f"coaps://127.0.0.1:{self.coap_port}", "identity": self.identity}
        options.update(changes)
        return [str(word) for name, value in options.items() for word in ("--" + name.replace("_", "-"), value)]

    def cloud(self):
        return {"broker": f"mqtts://localhost:{self.broker.port}", "trust": self.pki.certificate("cloud-ca"),
                "certificate": self.pki.certificate("cloud"), "key": self.pki.key("cloud")}

    def assert_works(self, device, key, topic):
        self.wait_link("cloud")
        sensor = Sensor(device, self.coap_port, key=bytes.fromhex(key))
        self.assertEqual(sensor.post("temperature", "21.5").code, "2.04")
        self.assertEqual([(m.topic, m.payload) for m in self.subscriber.wait_for(1)], [(topic, "21.5")])

    def assert_nothing_changed(self):
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), self.before)
        self.assertEqual(sorted(p.name for p in self.gateway.folder.glob("tidegate.conf*")), ["tidegate.conf"])

    def test_by_options(self):
        code, out, err = self.gateway.say("setup", "--yes", *self.options(gateway="hall-3", site="plant-7", device="pump-1", **self.cloud()))
        self.assertEqual((code, err), (0, ""), out + err)
        self.assertIn("endpoint field: added", out)
        kept = self.gateway.folder / "tidegate.conf.before-setup"
        self.assertIn(str(kept), out)
        self.assertEqual(kept.read_text(encoding="utf-8"), self.before)
        self.assert_works("pump-1", re.search(r"\b[0-9a-f]{32}\b", out)[0], "plant-7/hall-3/pump-1/temperature")
        code, out, _ = self.gateway.say("status")
        self.assertEqual(code, 0)
        self.assertIn("all is well", out)

    def test_by_questions(self):
        cloud = self.cloud()
        said = self.talk([
            ("name of this gateway", "two words"), ("up to 64 letters", None), ("name of this gateway", "hall-3"), ("site", ""),
            ("the broker's address", "mqtt://broker"), ("without TLS", None), ("the broker's address", cloud["broker"]),
            ("authorities", "ca.crt"), ("from the first '/'", None), ("authorities", cloud["trust"]), ("gateway's certificate", cloud["certificate"]),
            ("private key", cloud["key"]), ("EST server", ""), ("user name at the broker", ""), ("first device", "pump-1"),
            ("Write this to", "yes"),
        ])
        self.assertIn('name = "telemetry"; from = "field"', said)
        self.assertEqual(self.gateway.check()[0], 0)
        self.assert_works("pump-1", re.search(r"\b[0-9a-f]{32}\b", said)[0], "hall-3/pump-1/temperature")

    def talk(self, turns, code=0):
        """Types each answer behind its question; None: only looks for the words. Returns all that was said."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        command = [BUILD / "tidegatectl", "--run", self.gateway.run, "setup", *self.options()]
        with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            os.close(theirs)
            self.addCleanup(process.kill)
            said, seen = "", 0
            for words, answer in turns:
                while words not in said[seen:]:
                    more = os.read(process.stdout.fileno(), 65536).decode()
                    if not more:
                        process.kill()
                        self.fail(f"the end came before {words!r}:\n{said}")
                    said += more
                seen = said.index(words, seen) + len(words)
                if answer is not None:
                    os.write(ours, f"{answer}\n".encode())
            said += process.stdout.read().decode()
            self.assertEqual(process.wait(), code, said)
        return said

    def test_whoever_does_not_agree_has_changed_nothing(self):
        said = self.talk([("name of this gateway", ""), ("site", ""), ("the broker's address", "mqtts://broker"), ("authorities", self.identity / "none.crt"),
                          ("there is no such file yet", None), ("gateway's certificate", ""), ("user name", ""), ("first device", ""), ("Write this to", "no")])
        self.assertIn("Nothing was changed", said)
        self.assert_nothing_changed()

    def test_whoever_goes_away_has_changed_nothing(self):
        result = subprocess.run([BUILD / "tidegatectl", "--run", self.gateway.run, "setup", *self.options()], stdin=subprocess.DEVNULL,
                                capture_output=True, encoding="utf-8", check=False, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("nothing was changed", result.stderr)
        self.assert_nothing_changed()

    def test_a_file_that_is_refused_does_not_stay(self):
        self.allowed = [r"more\.conf", "was not reloaded"]
        more = self.gateway.folder / "conf.d"
        more.mkdir()
        (more / "more.conf").write_text('routes: ( { name = "telemetry"; from = "field"; to = "nowhere"; } );\n', encoding="utf-8")
        code, out, err = self.gateway.say("setup", "--yes", *self.options(gateway="hall-3", **self.cloud()))
        self.assertEqual(code, 1, out)
        self.assertIn("more.conf:1", err)
        self.assertIn("what was there before is back", err)
        self.assert_nothing_changed()
        self.assertEqual(self.gateway.status()["gateway"], "new")

    def test_without_a_gateway_the_file_is_checked_all_the_same(self):
        self.assertEqual(self.gateway.stop(), 0)
        installed = self.gateway.folder / "sbin"  # the daemon beside it is the one that is asked
        installed.mkdir()
        shutil.copy(BUILD / "tidegatectl", installed)
        daemon = installed / "tidegated"
        daemon.write_text(f'#!/bin/sh\nexec {BUILD}/tidegated --adapters {self.gateway.adapters} --endpoint-program '
                          f'{self.gateway.endpoint_program} --state {self.gateway.state} "$@"\n', encoding="utf-8")
        daemon.chmod(0o755)
        options = ["setup", "--yes", *self.options(gateway="hall-3", device="pump-1", **self.cloud())]
        result = subprocess.run([installed / "tidegatectl", "--run", self.gateway.run, *options], stdin=subprocess.DEVNULL,
                                capture_output=True, encoding="utf-8", check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("tidegatectl device add pump-1 --psk", result.stdout)
        self.gateway.start()
        self.wait_link("cloud")

    def test_bad_options(self):
        for options in (["--gateway", "a b"], ["--broker", "mqtt://b"], ["--broker"], ["now"], ["--trust", "ca.crt"], ["--est", "http://e"],
                        ["--device", "a/b"], ["--username", "a\nb"], ["--listen", "coap://[::]"]):
            code, _, err = self.gateway.say("setup", "--yes", *options)
            self.assertEqual(code, 2, err)
        code, _, err = self.gateway.say("setup", "--yes", *self.options())
        self.assertEqual(code, 1)
        self.assertIn("--broker", err)
        self.assert_nothing_changed()


if __name__ == "__main__":
    main()
