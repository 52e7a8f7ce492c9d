# SPDX-License-Identifier: Apache-2.0
"""Devices that come back with a session ticket, and those that must not: the load generator, and openssl s_client."""
import json
import re
import socket

from harness import GatewayCase, Load, main, wait_until
from harness.process import run

SENSORS = 1000
SESSION = re.compile(r"^(New|Reused), ", re.MULTILINE)


class Tickets(GatewayCase):
    allowed = [r"handshake with .* failed"]

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    def restart(self):
        self.assertEqual(self.gateway.stop(), 0, "tidegated did not end well")
        self.gateway.start()
        self.wait_link("cloud")

    def visit(self, name, key, ticket=None, more=()):
        """One session of s_client: "New", "Reused", or None where it was not let in."""
        command = ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}", "-psk_identity", name,
                   "-psk", key.hex(), "-cipher", "PSK-AES128-GCM-SHA256", "-timeout", *more]
        command += ["-sess_in", str(ticket)] if ticket else []
        code, out, err = run(command, check=False, deadline_s=60)
        kind = SESSION.search(out)
        if code == 0 and kind and "Cipher is PSK" in out:
            return kind[1]
        self.assertRegex(out + err, r"alert|handshake failure", "it failed for another reason")
        return None

    def enrolled(self, name):
        """A sensor that was here once: its key and its ticket."""
        key, ticket = self.gateway.add_psk(name), self.folder / f"{name}.ticket"
        self.assertEqual(self.visit(name, key, more=("-sess_out", str(ticket))), "New")
        self.assertTrue(ticket.exists())
        return key, ticket

    def test_comes_back_with_its_ticket(self):
        key, ticket = self.enrolled("pump-1")
        self.assertEqual(self.visit("pump-1", key, ticket), "Reused")
        self.restart()
        self.assertEqual(self.visit("pump-1", key, ticket), "Reused")
        wait_until(lambda: self.counter("resumed") == 1, "it is counted")
        # The process of the endpoint alone.
        self.gateway.ctl("status")
        before = self.gateway.pid("field")
        self.allowed = self.allowed + [r"process of worker 0 is gone"]
        run(["kill", "-9", str(before)])
        wait_until(lambda: self.gateway.pid("field") not in (None, before), "another process serves")
        wait_until(lambda: self.gateway.endpoint("field")["link"] == "up", "it listens")
        self.assertEqual(self.visit("pump-1", key, ticket), "Reused")

    def test_revoked_device_does_not_come_back(self):
        key, ticket = self.enrolled("pump-1")
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assertIsNone(self.visit("pump-1", key, ticket))
        self.restart()
        self.assertIsNone(self.visit("pump-1", key, ticket))
        self.assertEqual(self.counter("resumed"), 0)

    def test_rotated_key_needs_a_full_handshake(self):
        old, ticket = self.enrolled("pump-1")
        new = bytes.fromhex(self.gateway.ctl("device", "rotate", "pump-1", "--now")["key"])
        self.assertIsNone(self.visit("pump-1", old, ticket))
        self.assertEqual(self.visit("pump-1", new, ticket), "New")
        self.assertEqual(self.counter("resumed"), 0)

    def test_keys_are_nobody_elses(self):
        """Another gateway's tickets, or what lies on the disk without the master key."""
        _, ticket = self.enrolled("pump-1")
        self.assertEqual(self.gateway.stop(), 0)
        for file in self.gateway.state.glob("devices*"):
            file.unlink()
        self.gateway.start()
        self.wait_link("cloud")
        key = self.gateway.add_psk("pump-1")
        self.assertEqual(self.visit("pump-1", key, ticket), "New")

    def test_thousand_sensors_come_back(self):
        keys, tickets = self.enrol(SENSORS), self.folder / "tickets"
        options = ("--tickets", tickets, "--count", 1, "--parallel", 200, "--connect-timeout", 120, "--seconds", 240)
        summary = Load(self.folder, self.coap_port, keys, *options).start().wait(300)
        self.assertEqual((summary["handshakes"], summary["resumed"]), (SENSORS, 0), summary)
        self.restart()
        summary = Load(self.folder, self.coap_port, keys, *options).start().wait(300)
        self.assertEqual((summary["connected"], summary["acknowledged"]), (SENSORS, SENSORS), summary)
        self.assertEqual((summary["handshakes"], summary["resumed"]), (SENSORS, SENSORS), summary)
        wait_until(lambda: self.counter("resumed") == SENSORS, "each is counted")
        self.subscriber.wait_for(2 * SENSORS, deadline_s=60)

    def enrol(self, count):
        """Over one connection to the control socket: a program for each would take minutes."""
        keys = {}
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.gateway.run / "control.sock"))
            with control.makefile("rw", encoding="utf-8") as file:
                for number in range(1, count + 1):
                    name = f"sensor-{number:04}"
                    file.write(json.dumps({"command": "device-add", "device": name, "proof": "psk"}) + "\n")
                    file.flush()
                    keys[name] = bytes.fromhex(json.loads(file.readline())["result"]["key"])
        return keys


if __name__ == "__main__":
    main()
