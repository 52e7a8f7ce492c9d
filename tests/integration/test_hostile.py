# SPDX-License-Identifier: Apache-2.0
"""Handshakes of strangers with openssl s_client: none is let in, and none learns who is enrolled."""
from harness import GatewayCase, main, wait_until
from harness.process import run

WRONG = "00112233445566778899aabbccddeeff"


class Hostile(GatewayCase):
    allowed = [r"handshake with .* failed"]

    def knock(self, identity, key=WRONG, more=()):
        """What the gateway answered, message by message, or None where s_client itself did not go on."""
        proof = ["-psk_identity", identity, "-psk", key, "-cipher", "PSK-AES128-GCM-SHA256"] if key else []
        code, out, err = run(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}", "-msg",
                              *proof, *more], check=False, deadline_s=60)
        self.assertFalse(code == 0 and "Verify return code" in out and "Cipher is (NONE)" not in out, "it was let in")
        answers = [line for line in (out + err).splitlines() if line.startswith("<<< ")]
        return list(dict.fromkeys(answers))  # one that was sent again counts once

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    def test_unknown_identity_looks_like_a_wrong_key(self):
        self.gateway.add_psk("pump-1")
        known, unknown = self.knock("pump-1"), self.knock("pump-2")
        self.assertEqual(known, unknown)
        self.assertRegex(known[-1], "Alert|content_type=21")
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assertEqual(self.knock("pump-1"), known)
        wait_until(lambda: self.counter("failed_wrong_key") >= 1 and self.counter("failed_unknown") >= 2, "they are counted")

    def test_strange_identities(self):
        for identity in ("", "x" * 255, "x" * 1000, b"\xff\xfe\xc0\x80pump", "pump-1\n", "../pump-1", "' OR 1=1 --", "+/#"):
            with self.subTest(identity=identity):
                self.knock(identity)

    def test_no_certificate(self):
        self.knock("", key=None, more=("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"))
        wait_until(lambda: self.counter("failed_certificate") == 1, "it is counted")

    def test_nothing_in_common(self):
        self.knock("", key=None, more=("-cipher", "AES128-SHA:@SECLEVEL=0"))

    def tearDown(self):
        self.assertEqual(self.counter("handshakes"), 0)
        sensor = self.psk_sensor("honest")
        self.assertEqual(sensor.post("t", "still works").code, "2.04")
        super().tearDown()


if __name__ == "__main__":
    main()
