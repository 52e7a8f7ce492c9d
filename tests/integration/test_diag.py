# SPDX-License-Identifier: Apache-2.0
"""tidegatectl diag: one archive that tells enough to help, and no secret, wherever one was planted."""
import base64
import os
import stat
import tarfile
import tempfile
from pathlib import Path

from harness import GatewayCase, main, wait_until

PASSWORD = "correct-horse-battery-staple"


class Diag(GatewayCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-diag-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        super().setUp()

    def configuration(self, **changes):
        path = self.folder / "broker-password"
        path.write_text(PASSWORD + "\n", encoding="utf-8")
        path.chmod(0o600)
        return super().configuration(cloud={"username": "gw", "password_file": str(path)}, **changes)

    def take(self, *, code=0):
        archive = self.folder / "diag.tar.gz"
        result, out, err = self.gateway.say("diag", archive)
        self.assertEqual(result, code, out + err)
        self.assertEqual(stat.S_IMODE(os.stat(archive).st_mode), 0o600)
        with tarfile.open(archive) as tar:
            return out, {Path(m.name).name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}

    def test_it_tells_what_helps_and_no_secret(self):
        key = self.gateway.add_psk("pump-1")
        # Secrets where none belongs: the name of a device, in several disguises.
        self.gateway.add_psk(PASSWORD)
        self.gateway.add_psk("token=abracadabra-1")
        self.gateway.add_psk("x-" + key.hex())
        self.gateway.add_psk("mqtts://user:hocuspocus@broker")
        self.gateway.configure(self.configuration(gateway={"name": "hall-3", "site": "secret: simsalabim"}))
        self.gateway.ctl("reload")
        wait_until(lambda: self.gateway.status()["site"] == "secret: simsalabim", "the name is taken over")
        out, files = self.take()
        self.assertIn("passages that might be secret were taken out", out)
        for name, expected in {"status.txt": b"hall-3", "devices.txt": b"pump-1", "config.txt": b"password_file", "check.txt": b"tidegated --check",
                               "journal.txt": b"tidegate-return", "unit.txt": b"tidegate-return",
                               "audit.txt": b"by the provisions of", "system.txt": b"Linux", "outbox.txt": b"cloud"}.items():
            self.assertIn(expected, files[name])
            self.assertTrue(files[name].startswith(b"$ "), files[name][:80])
        master = (self.gateway.folder / "state/master.key").read_text(encoding="utf-8").strip()
        self.assertGreaterEqual(len(master), 64)
        secrets = [PASSWORD, "abracadabra", "hocuspocus", "simsalabim", key.hex(), key.hex().upper(), base64.b64encode(key).decode(), master]
        for name, text in files.items():
            for secret in [key, bytes.fromhex(master), *(s.encode() for s in secrets)]:
                self.assertNotIn(secret, text, name)
        self.assertIn(b"pump-1", files["devices.txt"])

    def test_nothing_is_overwritten_and_nothing_is_left(self):
        before = set(Path(tempfile.gettempdir()).glob("tidegate-diag-??????"))
        self.take()
        code, _, err = self.gateway.say("diag", self.folder / "diag.tar.gz")
        self.assertEqual(code, 1)
        self.assertIn("File exists", err)
        code, _, err = self.gateway.say("diag", self.folder / "nowhere" / "diag.tar.gz")
        self.assertEqual(code, 1)
        self.assertEqual(set(Path(tempfile.gettempdir()).glob("tidegate-diag-??????")) - before, set())

    def test_it_needs_no_gateway(self):
        self.assertEqual(self.gateway.stop(), 0)
        _, files = self.take()
        self.assertIn(b"no gateway answers", files["status.txt"])
        self.assertIn(b"Linux", files["system.txt"])


if __name__ == "__main__":
    main()
