# SPDX-License-Identifier: Apache-2.0
"""The registry in the running gateway: keys that are sealed, rotated and revoked, devices by the thousand, and what breaks on the way."""
import csv
import io
import os
import re
import resource
import subprocess
import sys
import time

from harness import BUILD, DEADLINE_S, GatewayCase, Load, Process, Sensor, main, wait_until


def key_of(text):
    return bytes.fromhex(text)


class RegistryCase(GatewayCase):
    def assert_says(self, words, *texts, code=0):
        got, out, err = self.gateway.say(*map(str, words))
        self.assertEqual(got, code, (words, out, err))
        for text in texts:
            self.assertIn(text, out + err, words)
        return out

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def names(self):
        return [device["device"] for device in self.gateway.ctl("device", "list")]

    def assert_no_key_lies_around(self, *keys, but="master.key"):
        for path in self.gateway.state.rglob("*"):
            if not path.is_file() or path.name == but:
                continue
            data = path.read_bytes()
            for key in keys:
                self.assertNotIn(key, data, path)
                self.assertNotIn(key.hex().encode(), data.lower(), path)


class Files(RegistryCase):
    def test_key_for_the_device(self):
        path = self.folder / "pump-1.key"
        self.assert_says(["device", "add", "pump-1", "--psk", "--out", path], "is in", str(path))
        self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
        lines = dict(line.split(" = ", 1) for line in path.read_text().splitlines() if not line.startswith("#"))
        self.assertEqual({**lines, "key": ""}, {"gateway": "hall-3", "endpoint": "field", "identity": "pump-1", "key": ""})
        key = key_of(lines["key"])
        self.assertEqual(Sensor("pump-1", self.coap_port, key=key).post("t", "1").code, "2.04")
        self.assert_no_key_lies_around(key)
        self.assertEqual(self.gateway.ctl("device", "show", "pump-1")["proof"], "psk")

    def test_no_file_is_written_over(self):
        path = self.write("mine", "precious")
        self.assert_says(["device", "add", "pump-1", "--psk", "--out", path], "never written over", code=1)
        self.assertEqual((path.read_text(), self.names()), ("precious", []))
        self.assert_says(["device", "add", "pump-1", "--psk", "--out", self.folder / "none" / "x"], "cannot make", code=1)
        self.assertEqual(self.names(), [])
        new = self.folder / "new"
        self.assert_says(["device", "add", "a\nb", "--psk", "--out", new], "cannot be a device's name", code=1)
        self.assertFalse(new.exists())

    def test_names_at_the_limits(self):
        longest = "ü" * 127 + "x"
        self.gateway.add_psk(longest)
        self.assertEqual(self.gateway.ctl("device", "show", longest)["device"], longest)
        for name in ("", longest + "y", "a\tb", "a\x7f", "a\u009b"):
            self.assert_says(["device", "add", name, "--psk"], code=1)
        self.assertEqual(self.gateway.say("device", "add", b"\xff\xfe", "--psk")[0], 2)
        self.assertEqual(self.names(), [longest])


class Import(RegistryCase):
    HEADER = "name,endpoint,proof,key,profile\n"

    def test_good_lines_are_taken_and_bad_ones_named(self):
        key = os.urandom(16)
        bad = {
            3: ("pump-1,field,psk,,", "line 2"), 4: ("x,nowhere,psk,,", "no endpoint"), 5: ("x5,cloud,psk,,", "does not auth"),
            6: ("x,field,telepathy,,", "neither psk"), 7: ("x7,field,psk,00ff,", "32 to 128"), 8: ("x8,field,psk,zz,", "32 to 128"),
            9: (",field,psk,,", "cannot be a device's name"), 10: ("n" * 256 + ",field,psk,,", "cannot be"),
            11: ("x\x00y,field,psk,,", "NUL"), 12: (b"\xff\xfe,field,psk,,", "UTF-8"), 13: ("y" * 5000, "too long"),
            14: ('"x,field,psk,,', "quote"), 15: ("x,field,certificate," + "ab" * 16 + ",", "has a key"),
            16: ("x,field", "fewer fields"), 17: ("x17,field,psk,," + "p" * 65, "profile's name"), 18: ("x\x1b[2J,field,psk,,", "control"),
        }
        text = (self.HEADER + f"pump-1,field,psk,{key.hex()},\n").encode()
        for line in range(3, 19):
            row = bad[line][0]
            text += (row if isinstance(row, bytes) else row.encode()) + b"\n"
        text += "valve-2,,certificate,,meters\nküche 7,field,,,\n".encode()
        path, keys = self.write("devices.csv", text), self.folder / "keys.csv"

        code, out, err = self.gateway.say("device", "import", str(path), "--dry-run")
        self.assertEqual((code, out), (1, "3 devices would be enrolled, 16 bad lines\n"), err)
        self.assertEqual(self.names(), [])

        code, out, err = self.gateway.say("device", "import", str(path), "--keys", str(keys))
        self.assertEqual((code, out), (1, "3 devices enrolled, 16 bad lines\n"), err)
        said = {int(n): reason for n, reason in re.findall(rf"^{path}:(\d+): (.*)$", err, re.MULTILINE)}
        self.assertEqual(sorted(said), sorted(bad))
        for line, (_, reason) in bad.items():
            self.assertIn(reason, said[line], line)
        self.assertNotIn("\x1b", err)
        self.assertEqual(self.names(), ["küche 7", "pump-1", "valve-2"])
        self.assertEqual(self.gateway.ctl("device", "show", "valve-2")["profile"], "meters")

        self.assertEqual(keys.stat().st_mode & 0o7777, 0o600)
        made = list(csv.reader(keys.open(encoding="utf-8")))
        self.assertEqual([made[0], made[1][0], len(made)], [["name", "key"], "küche 7", 2])
        for name, its_key in (("pump-1", key), ("küche 7", key_of(made[1][1]))):
            if 0 not in its_key:  # the client takes its key as a text
                self.assertEqual(Sensor(name, self.coap_port, key=its_key).post("t", "1").code, "2.04")
        self.assert_no_key_lies_around(key, key_of(made[1][1]))

        again = self.gateway.ctl("device", "import", str(path), "--keys", str(self.folder / "more.csv"), good=(1,))
        self.assertEqual((again["taken"], len(again["bad"])), (0, 19))

    def test_files_that_are_none(self):
        for text in ("", "\n\n", "pump-1,field\n", "endpoint,proof\n", "name,name\n", "\xff\n", "name,colour\nx,red\n"):
            self.assert_says(["device", "import", self.write("x.csv", text)], "first line", code=1)
        self.assert_says(["device", "import", self.folder / "missing.csv"], "cannot read", code=1)
        self.assert_says(["device", "import", self.folder], "cannot read", code=1)
        keys = self.write("keys", "precious")
        self.assert_says(["device", "import", self.write("x.csv", "name\nx\n"), "--keys", keys], "never written over", code=1)
        self.assert_says(["device", "import", self.write("x.csv", "name\nx\n")], "--keys", code=1)
        self.assertEqual((keys.read_text(), self.names()), ("precious", []))

    def test_what_export_writes_import_takes(self):
        names = ["a", 'say "x"', "a,b", " led", "ü" * 127]
        for name in names:
            self.gateway.add_psk(name)
        self.gateway.ctl("device", "profile", "a,b", "big, meters")
        self.gateway.add_certificate("valve")
        self.gateway.ctl("device", "revoke", "valve")
        self.gateway.ctl("device", "revoke", "a")
        before = {d["device"]: (d["endpoint"], d["proof"], d["profile"], d["state"]) for d in self.gateway.ctl("device", "list")}
        exported = self.assert_says(["device", "export"])
        rows = list(csv.DictReader(io.StringIO(exported)))
        self.assertEqual({row["key"] for row in rows}, {""})
        self.assertEqual(self.gateway.stop(), 0)
        for path in self.gateway.state.glob("devices*"):
            path.unlink()
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.names(), [])
        self.assert_says(["device", "import", self.write("all.csv", exported), "--keys", self.folder / "keys"], "6 devices enrolled")
        after = {d["device"]: (d["endpoint"], d["proof"], d["profile"], d["state"]) for d in self.gateway.ctl("device", "list")}
        self.assertEqual(after, before)
        self.assertEqual(self.assert_says(["device", "export"]), exported)
        self.assert_says(["device", "rotate", "a"], "only time")

    def test_kill_in_the_middle(self):
        """What was taken before is whole, in both files; the rest can be taken behind that."""
        path = self.write("many.csv", self.HEADER + "".join(f"s-{n:05},field,psk,{os.urandom(16).hex()},\n" for n in range(20000)))
        ctl = Process([BUILD / "tidegatectl", "--run", self.gateway.run, "device", "import", path])
        wait_until(lambda: self.gateway.status()["devices"] > 500, "some devices are there")
        self.gateway.kill()
        self.assertNotEqual(ctl.wait(), 0)
        self.gateway.start()
        self.wait_link("cloud")
        names = self.names()
        self.assertEqual(names, [f"s-{n:05}" for n in range(len(names))])
        self.assertGreater(len(names), 500)
        (self.gateway.state / "devices.db").write_bytes(b"\xa5" * 9000) if self.gateway.stop() == 0 else self.fail("no clean stop")
        self.allowed = ["registry"]
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.names(), names)
        result = self.gateway.ctl("device", "import", str(path), good=(0, 1))
        self.assertEqual((result["taken"], len(result["bad"])), (20000 - len(names), len(names)))
        self.assertEqual(len(self.names()), 20000)

    def test_no_room_for_the_keys(self):
        """What could be written stays, and no more devices get keys that nobody would know."""
        path, keys = self.write("many.csv", "name\n" + "".join(f"s-{n:05}\n" for n in range(1000))), self.folder / "keys.csv"

        def ctl(room):
            """A process that meets a full disk when a file has so many bytes."""
            result = subprocess.run(
                [BUILD / "tidegatectl", "--run", self.gateway.run, "device", "import", path, "--keys", keys], capture_output=True,
                text=True, check=False, timeout=DEADLINE_S, stdin=subprocess.DEVNULL, restore_signals=False,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
            self.assertEqual(result.returncode, 1, result)
            self.assertIn(f'cannot write "{keys}"', result.stderr)
            return result.stderr

        ctl(4)
        self.assertEqual((keys.exists(), self.names()), (False, []))
        said = ctl(16000)
        stopped = int(re.search(r"stopped; devices from line (\d+) on may have keys that are in no file", said)[1])
        made = list(csv.reader(keys.open(encoding="utf-8")))
        names = self.names()
        self.assertGreater(stopped, 2)
        self.assertEqual([row[0] for row in made[1:stopped - 1]], names[:stopped - 2])
        self.assertEqual({len(row[1]) for row in made[1:stopped - 1]}, {len(made[1][1])})
        self.assertGreater(len(names), stopped - 2)
        self.assertLess(len(names), 1000)

    def test_progress_on_a_terminal(self):
        path = self.write("many.csv", self.HEADER + "".join(f"s-{n:05},field,psk,{os.urandom(16).hex()},\n" for n in range(20000)))
        terminal, inside = os.openpty()
        command = [BUILD / "tidegatectl", "--run", self.gateway.run, "device", "import", path]
        ctl = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=inside)
        self.addCleanup(ctl.wait)
        os.close(inside)
        shown = b""
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:  # the other end is gone
            pass
        os.close(terminal)
        self.assertEqual(ctl.wait(DEADLINE_S), 0)
        self.assertRegex(shown, rb"\d+ devices, \d+ %")


class Rotation(RegistryCase):
    """One identity, two keys: the client has one of them, and what it has decides."""

    allowed = [r"handshake with .* failed"]

    def rotate(self, *more):
        return key_of(self.gateway.ctl("device", "rotate", "pump-1", *more)["key"])

    def keys(self):
        return self.gateway.ctl("device", "show", "pump-1")

    def assert_gets_in(self, key, text):
        """The second try at the latest; a device tries again by itself."""
        sensor = Sensor("pump-1", self.coap_port, key=key)
        codes = [sensor.post("t", text, wait_s=12).code]
        if codes[-1] != "2.04":
            codes.append(sensor.post("t", text).code)
        self.assertEqual(codes[-1], "2.04", codes)
        return len(codes)

    def assert_kept_out(self, key):
        sensor = Sensor("pump-1", self.coap_port, key=key)
        for _ in range(3):
            self.assertEqual(sensor.post("t", "from outside", wait_s=2).code, "")

    def test_the_old_key_until_the_new_one_was_used(self):
        old = self.gateway.add_psk("pump-1")
        new = self.rotate()
        self.assertTrue(self.keys()["rotating"])
        self.assertEqual(self.assert_gets_in(old, "old"), 1)
        self.assertEqual(self.assert_gets_in(old, "old again"), 1)
        self.assertTrue(self.keys()["rotating"])
        self.assert_no_key_lies_around(old, new)
        self.assert_gets_in(new, "new")
        wait_until(lambda: not self.keys()["rotating"], "the old key is over")
        self.assertEqual(self.assert_gets_in(new, "new again"), 1)
        self.assert_kept_out(old)
        self.assertEqual(self.assert_gets_in(new, "and again"), 1)

    def test_it_outlives_a_restart(self):
        old = self.gateway.add_psk("pump-1")
        new = self.rotate()
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        self.wait_link("cloud")
        self.assertTrue(self.keys()["rotating"])
        self.assert_gets_in(old, "old")
        self.assert_gets_in(new, "new")

    def test_finish_and_now(self):
        old = self.gateway.add_psk("pump-1")
        new = self.rotate()
        self.gateway.ctl("device", "rotate", "pump-1", "--finish")
        self.assert_kept_out(old)
        self.assert_gets_in(new, "new")
        self.assert_says(["device", "rotate", "pump-1", "--finish"], "one key already", code=1)
        newest = self.rotate("--now")
        self.assert_kept_out(new)
        self.assert_gets_in(newest, "newest")

    def is_resumed(self, key, ticket, *options):
        """Connects with the ticket, or for one, and returns whether the session was resumed."""
        result = subprocess.run(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}", "-psk_identity", "pump-1",
             "-psk", key.hex(), "-cipher", "PSK-AES128-GCM-SHA256", *options, ticket],
            input="Q\n", capture_output=True, text=True, errors="replace", check=False, timeout=DEADLINE_S,
        )
        states = re.findall(r"^(New|Reused), ", result.stdout, re.MULTILINE)
        self.assertTrue(states, result.stdout + result.stderr)
        return states[0] == "Reused"

    def test_tickets_of_the_old_key_end_with_it(self):
        old, ticket = self.gateway.add_psk("pump-1"), self.folder / "ticket.pem"
        self.assertFalse(self.is_resumed(old, ticket, "-sess_out"))
        self.assertTrue(self.is_resumed(old, ticket, "-sess_in"))
        new = self.rotate()
        self.assertTrue(self.is_resumed(old, ticket, "-sess_in"))
        self.assertTrue(self.keys()["rotating"], "a resumed session says nothing of the key that the device has")
        self.gateway.ctl("device", "rotate", "pump-1", "--finish")
        self.assertFalse(self.is_resumed(new, ticket, "-sess_in"))
        self.assertFalse(self.is_resumed(new, ticket, "-sess_out"))
        self.assertTrue(self.is_resumed(new, ticket, "-sess_in"))

    def live_session(self):
        load = Load(self.folder, self.coap_port, {"pump-1": self.gateway.add_psk("pump-1")}, "--rate", 20).start()
        self.subscriber.wait_for(5)
        return load

    def assert_goes_on(self):
        seen = len(self.subscriber.messages())
        self.subscriber.wait_for(seen + 10)

    def assert_lost(self, load):
        """Its session was ended, and its old key does not let it come back."""
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["failed_wrong_key"] > 0, "it tries to come back")
        self.assertGreaterEqual(load.stop()["sessions_lost"], 1)

    def test_live_sessions_end_with_the_overlap(self):
        load = self.live_session()
        self.rotate()
        self.assert_goes_on()
        self.gateway.ctl("device", "rotate", "pump-1", "--finish")
        self.assert_lost(load)

    def test_the_overlap_ends_by_itself(self):
        self.allowed = [*self.allowed, "its new one was never used"]
        self.gateway.configure(self.configuration(gateway={"name": "hall-3", "site": "plant-7", "key_overlap_s": 10}))
        self.gateway.ctl("reload")
        load = self.live_session()
        new = self.rotate()
        self.assert_goes_on()
        wait_until(lambda: not self.keys()["rotating"], "the overlap is over")
        self.assert_lost(load)
        self.assert_gets_in(new, "new")



class Authority(RegistryCase):
    """Certificates that the gateway signs itself."""

    allowed = [r"handshake with .* failed"]

    def openssl(self, *words):
        result = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def trust_it(self):
        """As the manual says: behind the authority that is trusted already."""
        bundle = self.folder / "trust.pem"
        bundle.write_text(self.pki.certificate("devices-ca").read_text() + self.assert_says(["device", "ca"]))
        self.gateway.configure(self.configuration(field={"trust": bundle}))
        self.gateway.ctl("reload")

    def post(self, name, certificate, key):
        proof = ["-c", certificate, "-j", key, "-C", self.pki.certificate("devices-ca")]
        sensor = Sensor(name, self.coap_port, key=b"x")
        sensor._proof = proof
        return sensor.post("t", f"from {name}", wait_s=10).code

    def test_a_new_key(self):
        path = self.folder / "pump-1.pem"
        code, out, err = self.gateway.say("device", "add", "pump-1", "--certificate", "--out", str(path))
        self.assertEqual(code, 0, err)
        self.assertIn("tidegatectl device ca >> " + str(self.pki.certificate("devices-ca")), err)
        self.assertNotIn("PRIVATE", out + err)
        self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
        private = re.search(r"-----BEGIN PRIVATE KEY-----\n(.*?)\n-----END", path.read_text(), re.DOTALL)[1]
        for there in self.gateway.state.rglob("*"):
            self.assertNotIn(private.splitlines()[0].encode(), there.read_bytes() if there.is_file() else b"")
        self.assertNotEqual(self.post("pump-1", path, path), "2.04", "nobody has said that it is trusted")
        self.trust_it()
        self.assertEqual(self.post("pump-1", path, path), "2.04")
        self.subscriber.wait_for(1, lambda m: m.payload == "from pump-1" and m.device == "pump-1")
        ca = self.write("ca.pem", self.assert_says(["device", "ca"]))
        self.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, path)
        text = self.openssl("x509", "-in", path, "-noout", "-text")
        for part in ("DNS:pump-1", "CA:FALSE", "TLS Web Client Authentication", "Digital Signature", "CN = pump-1"):
            self.assertIn(part, text)
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assertEqual(self.post("pump-1", path, path), "")
        self.assert_says(["device", "certificate", "pump-1", "--out", self.folder / "no"], "revoked", code=1)

    def test_a_request(self):
        self.trust_it()
        key, request, path = (self.folder / name for name in ("k.pem", "r.pem", "c.pem"))
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                     request, "-subj", "/CN=somebody else", "-addext", "basicConstraints=CA:TRUE")
        out = self.assert_says(["device", "add", "urn:dev:7", "--csr", request, "--profile", "default"])
        path.write_text(out)
        self.assertNotIn("PRIVATE", out)
        text = self.openssl("x509", "-in", path, "-noout", "-text")
        self.assertIn("URI:urn:dev:7", text)
        self.assertNotIn("CA:TRUE", text)
        self.assertNotIn("somebody else", text)
        self.assert_says(["device", "add", "urn:dev:7", "--csr", request], "enrolled already", code=1)
        self.assert_says(["device", "certificate", "urn:dev:7", "--csr", request, "--out", self.folder / "again.pem"], "good until")
        self.assert_says(["device", "certificate", "nobody", "--csr", request], "no device", code=1)
        self.gateway.add_psk("pump-2")
        self.assert_says(["device", "certificate", "pump-2", "--csr", request], "pre-shared key", code=1)
        self.openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=x")
        new = self.folder / "new.pem"
        self.assert_says(["device", "add", "weak", "--csr", request, "--out", new], "too weak", code=1)
        for junk in (b"", b"\xff\x00", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", b"x" * 100000):
            self.assert_says(["device", "add", "weak", "--csr", self.write("junk", junk), "--out", new], code=1)
        self.assert_says(["device", "add", "n" * 200, "--certificate", "--out", new], "64 bytes", code=1)
        self.assertFalse(new.exists())
        self.assertEqual(self.names(), ["pump-2", "urn:dev:7"])

    def test_it_stays_the_same(self):
        before = self.assert_says(["device", "ca"])
        self.gateway.ctl("device", "rekey")
        self.assertEqual(self.gateway.stop(), 0)
        (self.gateway.state / "devices.db").write_bytes(b"\xa5" * 9000)
        self.allowed = [*self.allowed, "registry"]
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.assert_says(["device", "ca"]), before)
        path = self.folder / "a.pem"
        self.gateway.ctl("device", "add", "a", "--certificate", "--out", str(path))
        self.openssl("verify", "-CAfile", self.write("ca.pem", before), path)

    def test_locked(self):
        self.allowed = [*self.allowed, "master key"]
        ca = self.assert_says(["device", "ca"])
        self.assertEqual(self.gateway.stop(), 0)
        master = self.gateway.state / "master.key"
        master.rename(self.folder / "away")
        self.gateway.start()
        self.wait_link("cloud")
        self.assert_says(["device", "add", "a", "--certificate", "--out", self.folder / "a.pem"], "locked", code=1)
        self.assertEqual(self.assert_says(["device", "ca"]), ca)


class Revocation(RegistryCase):
    allowed = [r"handshake with .* failed"]

    def connect(self, name, key):
        """A DTLS session of the openssl command, which stays open until the other side ends it."""
        client = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}", "-psk_identity", name,
             "-psk", key.hex(), "-cipher", "PSK-AES128-GCM-SHA256"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        self.addCleanup(lambda: (client.kill(), client.communicate()))
        for line in client.stdout:
            if "PSK identity:" in line and name in line:
                return client
        self.fail(f"no session: exit code {client.wait()}")

    def test_a_live_session_ends(self):
        keys = {name: self.gateway.add_psk(name) for name in ("pump-1", "pump-2")}
        bad, good = (self.connect(name, key) for name, key in keys.items())
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["sessions"] == 2, "both have a session")
        begin = time.monotonic()
        self.gateway.ctl("device", "revoke", "pump-1")
        bad.wait(DEADLINE_S)
        print(f"the session of a revoked device was dead after {(time.monotonic() - begin) * 1000:.0f} ms", file=sys.stderr)
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["sessions"] == 1, "the other one has its session")
        self.assertIsNone(good.poll())
        self.assertEqual(Sensor("pump-1", self.coap_port, key=keys["pump-1"]).post("t", "from outside", wait_s=2).code, "")
        self.assertEqual(self.gateway.ctl("device", "show", "pump-1")["accepted"], 0)


class MasterKey(RegistryCase):
    allowed = [r"handshake with .* failed", r"master key ", r"turned away"]

    def setUp(self):
        super().setUp()
        self.psk = Sensor("pump-1", self.coap_port, key=self.gateway.add_psk("pump-1"))
        self.certificate = self.certificate_sensor("valve-2")
        self.master = self.gateway.state / "master.key"

    def start(self):
        self.gateway.start()
        wait_until(lambda: self.gateway.ctl("status", good=(0, 3, 4)), "it answers")  # a reload made it say READY, too
        self.wait_link("cloud")

    def restart(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.start()

    def assert_locked(self):
        self.assertEqual(self.psk.post("t", "from outside", wait_s=2).code, "")
        self.assertEqual(self.certificate.post("t", "inside").code, "2.04")
        self.assertTrue(any("master" in problem for problem in self.gateway.status()["problems"]))
        self.assert_says(["device", "add", "new", "--psk"], "locked", code=1)
        self.assert_says(["device", "rotate", "pump-1"], "locked", code=1)

    def assert_open(self):
        self.assertEqual(self.psk.post("t", "inside").code, "2.04")
        self.assertEqual(self.certificate.post("t", "inside").code, "2.04")
        self.assertEqual(self.gateway.status()["problems"], [])

    def test_made_at_the_first_start(self):
        self.assertEqual(self.master.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(len(bytes.fromhex(self.master.read_text())), 32)
        made = [line for line in self.gateway.lines.all() if "made a master key" in line]
        self.assertEqual(len(made), 1)
        self.assert_no_key_lies_around(self.psk.key)
        self.restart()
        self.assert_open()
        self.assertEqual([line for line in self.gateway.lines.all() if "made a master key" in line], made)

    def test_wrong_missing_and_readable_by_others(self):
        right = self.master.read_text()
        self.assertEqual(self.gateway.stop(), 0)
        for text, mode in (("00" * 32, 0o600), ("not a key", 0o600), (None, 0), (right, 0o640)):
            self.master.unlink(missing_ok=True)
            if text is not None:
                self.master.write_text(text)
                self.master.chmod(mode)
            self.start()
            self.assert_locked()
            self.assertEqual(self.gateway.stop(), 0)
            self.assertEqual(self.master.exists(), text is not None, "no other key is made in its place")
        self.start()
        self.assert_locked()
        self.master.write_text(right)
        self.master.chmod(0o600)
        self.gateway.ctl("reload")
        self.assert_open()
        self.restart()
        self.assert_open()

    def test_the_check_looks_at_it(self):
        for text, mode, word in (("00" * 32, 0o600, ""), ("short", 0o600, "64 hexadecimal"), ("00" * 32, 0o644, "0600"), (None, 0, "no such")):
            path = self.folder / "some.key"
            path.unlink(missing_ok=True)
            if text is not None:
                self.write("some.key", text, mode)
            self.gateway.configure(self.configuration(gateway={"name": "hall-3", "site": "plant-7", "master_key": str(path)}))
            code, said = self.gateway.check()
            self.assertEqual((code, "master_key" in said), (0, bool(word)), said)
            self.assertIn(word, said)

    def test_lost_while_it_runs(self):
        right = self.master.read_text()
        self.master.unlink()
        self.gateway.ctl("reload")
        self.assertEqual(self.psk.post("t", "inside").code, "2.04")
        self.assertTrue(any("master" in problem for problem in self.gateway.status()["problems"]))
        self.master.write_text(right)
        self.master.chmod(0o600)
        self.gateway.ctl("reload")
        self.assert_open()

    def test_a_new_master_key(self):
        before = self.master.read_text()
        self.assert_says(["device", "rekey"], "2 devices")
        self.assertNotEqual(self.master.read_text(), before)
        self.assertEqual(self.master.stat().st_mode & 0o7777, 0o600)
        self.assert_open()
        self.restart()
        self.assert_open()
        self.assert_no_key_lies_around(self.psk.key, bytes.fromhex(before))
        self.assert_says(["device", "rekey", "--key", self.write("k", "short")], "64 hexadecimal", code=1)
        self.assert_says(["device", "rekey", "--key", self.folder / "none"], "cannot read", code=1)
        self.assert_open()

    def test_a_cut_in_the_middle_of_that(self):
        """The registry is sealed under the next key, and the file is not in its place yet."""
        before = self.master.read_text()
        self.gateway.ctl("device", "rekey")
        self.assertEqual(self.gateway.stop(), 0)
        self.master.rename(self.master.with_name("master.key.new"))
        self.master.write_text(before)
        self.master.chmod(0o600)
        self.start()
        self.assert_open()
        self.assertNotEqual(self.master.read_text(), before)

    def test_handed_over_by_systemd(self):
        """From the gateway's own file to a credential, as tidegatectl(1) says."""
        new = self.write("new.key", os.urandom(32).hex() + "\n")
        self.gateway.ctl("device", "rekey", "--key", str(new))
        self.gateway.configure(self.configuration(
            gateway={"name": "hall-3", "site": "plant-7", "master_key": "credential:master.key"}))
        self.assertEqual(self.gateway.stop(), 0)
        self.master.unlink()
        credentials = self.folder / "credentials"
        credentials.mkdir(mode=0o700)
        new.rename(credentials / "master.key")
        (credentials / "master.key").chmod(0o440)  # as systemd may show its access lists
        os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
        self.addCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY")
        self.start()
        self.assert_open()
        self.assertFalse(self.master.exists())
        self.assert_says(["device", "rekey"], "say which file", code=1)
        next_key = self.write("next.key", os.urandom(32))
        self.assert_says(["device", "rekey", "--key", next_key], "before the gateway starts again")
        self.assert_open()


if __name__ == "__main__":
    main()
