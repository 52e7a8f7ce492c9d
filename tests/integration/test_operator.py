# SPDX-License-Identifier: Apache-2.0
"""tidegatectl: what it tells people and programs, and its exit codes."""
import json

from harness import BUILD, GatewayCase, Process, main, wait_until


class Operator(GatewayCase):
    def assert_says(self, words, *expected, code=0):
        result, out, err = self.gateway.say(*words)
        self.assertEqual(result, code, out + err)
        for text in expected:
            self.assertIn(text, out + err)
        return out

    def test_status(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        self.wait_drained()
        self.wait_link("field")
        out = self.assert_says(["status"], "hall-3 at plant-7", "field", "cloud", "balances", "all is well")
        self.assertNotIn("\033", out, "colours are for terminals")
        status = self.gateway.status()
        self.assertEqual((status["gateway"], status["site"], status["devices"]), ("hall-3", "plant-7", 1))
        self.assertEqual(status["problems"], [])
        self.assertEqual({e["name"]: e["state"] for e in status["endpoints"]}, {"field": "running", "cloud": "running"})
        self.assertEqual(status["ledger"]["delivered"], 1)

    def test_status_of_a_gateway_that_is_not_well(self):
        self.allowed = ["cloud"]
        self.broker.stop()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is gone")
        self.assert_says(["status"], "! endpoint \"cloud\"", code=4)

    def test_status_of_a_gateway_that_has_nothing_to_do(self):
        self.wait_link("field")
        device, route = "- no device may use \"field\" yet", "- no route is configured"
        link = "- no route begins or ends at \"cloud\""
        out = self.assert_says(["status"], "still to be configured", device)
        self.assertNotIn("all is well", out)
        self.assertNotIn("no route", out)
        self.psk_sensor("pump-1")
        self.assert_says(["status"], "all is well")
        settings = self.configuration()
        settings["routes"].clear()
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        out = self.assert_says(["status"], "still to be configured", route, link)
        self.assertNotIn(device, out)
        settings["endpoints"].clear()
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        out = self.assert_says(["status"], "- no endpoint is configured")
        self.assertEqual(len(self.gateway.status()["todo"]), 1)

    def test_devices(self):
        self.assert_says(["device", "list"], "No device is enrolled yet")
        self.assert_says(["device", "add", "pump-1", "--psk"], "pump-1", "the only time that the key is shown")
        self.assert_says(["device", "add", "valve-2", "--enrol-only"], "valve-2")
        self.assert_says(["device", "add", "pump-1", "--psk"], "enrolled already", code=1)
        self.assert_says(["device", "list"], "pump-1", "psk", "valve-2", "certificate")
        key = self.gateway.ctl("device", "rotate", "pump-1")["key"]
        self.assertEqual(len(bytes.fromhex(key)), 16)
        self.assertNotIn(key, self.assert_says(["device", "show", "pump-1"], "active"))
        self.assert_says(["device", "revoke", "pump-1"], "revoked")
        self.assertEqual(self.gateway.ctl("device", "show", "pump-1")["state"], "revoked")
        self.assert_says(["device", "rotate", "valve-2"], "certificate", code=1)
        self.assert_says(["device", "show", "nobody"], "no device", code=1)
        self.assertEqual([d["device"] for d in self.gateway.ctl("device", "list")], ["pump-1", "valve-2"])

    def test_tail(self):
        sensor, other = self.psk_sensor("pump-1"), self.psk_sensor("pump-2")
        tail = Process([
            BUILD / "tidegatectl", "--json", "--run", self.gateway.run, "tail", "--device", "pump-1", "--count", "2",
        ])

        def ended():  # it has no way to say that it listens, and may begin in the middle of a reading
            self.assertEqual(other.post("t", "not shown").code, "2.04")
            self.assertEqual(sensor.post("temperature", "21.5").code, "2.04")
            return not tail.is_running()
        wait_until(ended, "tail has shown two events")
        self.assertEqual(tail.wait(), 0)
        tail.wait_lines()
        events = [json.loads(line) for line in tail.lines.all()]
        self.assertEqual({event["device"] for event in events}, {"pump-1"})
        accepted = next(event for event in events if event["what"] == "accepted")
        self.assertEqual(accepted["address"], "plant-7/hall-3/pump-1/temperature")

    def test_explain(self):
        sensor = self.psk_sensor("pump-1")
        self.assert_says(["explain", "pump-1"], "pump-1  active, for endpoint \"field\"", "It has no session", "Nothing happened")
        self.assertEqual(sensor.post("temperature", "21.5").code, "2.04")
        self.wait_drained()  # its delivery comes before the next one
        self.assertEqual(sensor.post("/".join(["aaaa"] * 30), "1").code, "2.04")
        self.wait_drained()
        self.assert_says(["explain", "pump-1"], "/temperature  by route \"telemetry\": cloud plant-7/hall-3/pump-1/temperature",
                         "accepted", "delivered", "…")
        told = self.gateway.ctl("explain", "pump-1")
        self.assertEqual([(e["what"], e["path"][:4]) for e in told["events"]],
                         [("accepted", "temp"), ("delivered", "temp"), ("accepted", "aaaa"), ("delivered", "aaaa")])
        self.assertEqual({e["device"] for e in told["events"]}, {"pump-1"})
        self.assertEqual(told["device"]["state"], "active")
        settings = self.configuration()
        settings["routes"].clear()
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        self.assertEqual(sensor.post("temperature", "22").code, "4.04")
        self.assert_says(["explain", "pump-1"], "refused", "/temperature", "(no")
        self.assert_says(["explain", "nobody"], "is not in the registry", "Nothing happened")
        settings["limits"] = {"trace_events": 0}
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        self.assert_says(["explain", "pump-1"], "Nothing happened to its messages among the last 0")

    def test_outbox_and_routes(self):
        self.assert_says(["outbox"], "cloud", "IN MEMORY", "ON DISK")
        self.assert_says(
            ["routes", "test", "field", "pump-1", "a/b"], "telemetry", "plant-7/hall-3/pump-1/a/b"
        )
        self.assert_says(["routes", "test", "nowhere", "pump-1", "a"], "nowhere", code=1)

    def test_config(self):
        self.assert_says(["config"], "hall-3", "telemetry")
        self.assert_says(["config", "--defaults"], "hold_ms = 250")

    def test_drain(self):
        sensor = self.psk_sensor("pump-1")
        self.assert_says(["drain", "--timeout", "10"], "Nothing is held")
        reply = sensor.post("t", "too late")
        self.assertEqual(reply.code, "5.03", reply)
        self.assert_says(["drain", "--off"], "again")
        self.assertEqual(sensor.post("t", "in time").code, "2.04")
        self.assertEqual([m.payload for m in self.subscriber.wait_for(1)], ["in time"])

    def test_bad_usage(self):
        for words in ([], ["nonsense"], ["device", "add", "x"], ["device", "add", "--psk"], ["tail", "--count", "many"]):
            self.assert_says(words, "tidegatectl", code=2)

    def test_no_gateway(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.assert_says(["status"], "no gateway answers", code=3)


if __name__ == "__main__":
    main()
