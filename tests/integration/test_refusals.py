# SPDX-License-Identifier: Apache-2.0
"""Bad input, row by row, with a client that we did not write; the gateway goes on as if nothing had been."""
from harness import GatewayCase, Load, Sensor, main, wait_until
from harness.gateway import Groups


class Strangers(GatewayCase):
    """Handshakes that must fail: the client is told nothing, the failure is counted."""

    allowed = [r"handshake with .* failed"]

    def assert_kept_out(self, sensor, reason):
        before = self.counter(reason)
        client = sensor.begin_post("t", "from outside")
        self.addCleanup(client.close)
        wait_until(lambda: self.counter(reason) > before, f"'{reason}' is counted")
        client.close()
        self.assertEqual(client.replies(), [])

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    def tearDown(self):
        sensor = self.psk_sensor("honest")
        self.assertEqual(sensor.post("t", "still works").code, "2.04")
        self.subscriber.wait_for(1, lambda m: m.payload == "still works")
        self.assertEqual([m for m in self.subscriber.messages() if m.payload == "from outside"], [])
        super().tearDown()

    def test_unknown_identity(self):
        self.assert_kept_out(Sensor("nobody", self.coap_port, key=b"0123456789abcdef"), "failed_unknown")

    def test_wrong_key(self):
        self.psk_sensor("pump-1")
        self.assert_kept_out(Sensor("pump-1", self.coap_port, key=b"0123456789abcdef"), "failed_wrong_key")

    def test_revoked_key(self):
        sensor = self.psk_sensor("pump-1")
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assert_kept_out(sensor, "failed_unknown")

    def test_rotated_key(self):
        sensor = self.psk_sensor("pump-1")
        self.gateway.ctl("device", "rotate", "pump-1", "--now")
        self.assert_kept_out(sensor, "failed_wrong_key")

    def test_certificate_of_another_authority(self):
        self.gateway.add_certificate("valve-2")
        self.pki.authority("foreign-ca")
        self.pki.leaf("valve-2", "foreign-ca")
        self.assert_kept_out(Sensor("valve-2", self.coap_port, pki=self.pki), "failed_certificate")

    def test_expired_certificate(self):
        self.pki.expired_leaf("valve-2")
        self.gateway.add_certificate("valve-2")
        self.assert_kept_out(Sensor("valve-2", self.coap_port, pki=self.pki), "failed_certificate")

    def test_certificate_of_nobody_enrolled(self):
        self.pki.leaf("valve-2")
        self.assert_kept_out(Sensor("valve-2", self.coap_port, pki=self.pki), "failed_unknown")

    def test_revoked_certificate(self):
        sensor = self.certificate_sensor("valve-2")
        self.assertEqual(sensor.post("t", "inside").code, "2.04")
        self.gateway.ctl("device", "revoke", "valve-2")
        self.assert_kept_out(sensor, "failed_unknown")


class Revoked(GatewayCase):
    """A device that is revoked while it is connected."""

    allowed = [r"handshake with .* failed"]

    def test_its_session_ends_and_no_other(self):
        load = Load(self.folder, self.coap_port, self.keys(2), "--rate", 50).start()
        bad, good = "sensor-01", "sensor-02"
        self.subscriber.wait_for(10, lambda m: m.device == bad)
        self.gateway.ctl("device", "revoke", bad)
        accepted = self.gateway.ctl("device", "show", bad)["accepted"]
        after = len(self.subscriber.messages(lambda m: m.device == good))
        self.subscriber.wait_for(after + 50, lambda m: m.device == good)
        self.assertEqual(self.gateway.ctl("device", "show", bad)["accepted"], accepted)
        summary = load.stop()
        self.assertGreaterEqual(summary["sessions_lost"], 1, summary)
        self.assert_promises(load, summary)


class Paths(GatewayCase):
    def test_broken_path(self):
        reply = self.psk_sensor("pump-1").post("a%00b", "x")
        self.assertEqual(reply.code, "4.00", reply)
        self.assertTrue(reply.text, "a diagnostic says why")


class Requests(GatewayCase):
    """Requests of a device that is let in."""

    settings = {
        "limits": {"payload_max_bytes": 1000},
        "routes": Groups([
            {"name": "json-only", "from": "field", "match": "/json/{path}", "to": "cloud", "address": "{device}/{path}",
             "formats": ["application/json"]},
            {"name": "chosen", "from": "field", "match": "/chosen", "to": "cloud", "address": "{device}/chosen",
             "devices": ["pump-9*"]},
            {"name": "plain", "from": "field", "match": "/t", "to": "cloud", "address": "{device}/t"},
        ]),
    }

    def setUp(self):
        super().setUp()
        self.sensor = self.psk_sensor("pump-1")

    def assert_refused(self, code, path, payload="x", **options):
        reply = self.sensor.post(path, payload, **options)
        self.assertEqual(reply.code, code, reply)
        self.assertEqual(self.subscriber.messages(), [])
        self.assertEqual(self.gateway.outbox()["ledger"]["accepted"], 0)
        return reply

    def test_no_route(self):
        self.assert_refused("4.04", "nowhere")

    def test_not_this_device(self):
        self.assertIn(self.sensor.post("chosen", "x").code, ("4.03", "4.04"))

    def test_too_large(self):
        reply = self.assert_refused("4.13", "t", "x" * 1001)
        self.assertEqual(reply.options.get("Size1"), "1000", reply)

    def test_wrong_format(self):
        self.assert_refused("4.15", "json/t", content_format=0)

    def test_get_is_no_reading(self):
        self.assertEqual(self.sensor.request("get", "t").code, "4.05")

    def test_good_still_passes(self):
        self.assertEqual(self.sensor.post("json/t", "{}", content_format=50).code, "2.04")
        self.subscriber.wait_for(1)


class TooFast(GatewayCase):
    settings = {"limits": {"rate": 1, "burst": 3}}

    def test_rate(self):
        sensor = self.psk_sensor("pump-1")
        load = Load(self.folder, self.coap_port, {"pump-1": sensor.key}, "--rate", 20, "--refused", "count").start()
        wait_until(lambda: self.gateway.ctl("device", "show", "pump-1")["refused"], "the load is over the rate")
        replies = []
        wait_until(lambda: replies.append(sensor.post("t", "x")) or replies[-1].code == "4.29", "one is refused")
        self.assertGreaterEqual(int(replies[-1].options.get("Max-Age", 0)), 1, replies[-1])
        self.assertGreaterEqual(load.stop()["acknowledged"], 3)
        other = self.psk_sensor("pump-2")
        self.assertEqual(other.post("t", "another device is not held up").code, "2.04")


if __name__ == "__main__":
    main()
