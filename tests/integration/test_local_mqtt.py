# SPDX-License-Identifier: Apache-2.0
"""A broker on site as a source: what is published there goes on to the cloud's broker, from whom the route says that it is."""
import json

from harness import BUILD, Broker, Commander, GatewayCase, Process, main, wait_until
from harness.gateway import Groups


class LocalCase(GatewayCase):
    """`near` and `far` are brokers, and routes lead from one to the other."""

    local_more = ""  # of the configuration of the broker on site
    near = {}        # more settings of the endpoint
    route = {}       # more of the route
    more_routes = []
    links = ["cloud", "near"]

    local = None

    def configuration(self, **changes):
        if self.local is None:
            self.start_local()
        settings = super().configuration(routes=Groups([
            {"name": "telemetry", "from": "near", "match": "sensors/{sensor}/{path}",
             "to": "cloud", "address": "{site}/{device}/{path}", **self.route}, *map(dict, self.more_routes)]), **changes)
        settings["endpoints"][0] = {
            "name": "near", "adapter": "mqtt", "broker": [f"mqtts://localhost:{self.local.port}"],
            "certificate": self.pki.certificate("cloud"), "key": self.pki.key("cloud"), "trust": self.pki.certificate("cloud-ca"),
            "backoff_min_ms": 50, "backoff_max_s": 1, **self.near,
        }
        return settings

    def start_local(self):
        """The harness makes the broker in the cloud; this one is there before the gateway is."""
        folder = self.folder / "local"
        folder.mkdir()
        self.local = Broker(folder, self.pki, self.local_more)
        self.addCleanup(self.local.close)
        self.local.start()
        self.publisher = Commander(self.local, None)

    def wait_receiving(self):
        wait_until(lambda: self.counters().get("subscriptions"), "the broker on site is subscribed to")

    def counters(self):
        return self.gateway.endpoint("near")["counters"]


class Devices(LocalCase):
    route = {"source_device": "{sensor}"}
    more_routes = [
        {"name": "anybody", "from": "near", "match": "relay/{sensor}/{path}", "source_device": "{sensor}", "impersonate": True,
         "to": "cloud", "address": "relay/{device}/{path}"},
        {"name": "other", "from": "near", "match": "other/{path}", "to": "cloud", "address": "{device}/{path}"},
        {"name": "round", "from": "near", "match": "round/{path}", "to": "near", "address": "round/{path}", "back": True},
    ]

    def setUp(self):
        super().setUp()
        self.wait_receiving()

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"].append({
            "name": "field", "adapter": "coap", "listen": [f"coaps://127.0.0.1:{self.coap_port}"],
            "certificate": self.pki.certificate("gateway"), "key": self.pki.key("gateway"),
            "trust": self.pki.certificate("devices-ca")})
        settings["routes"].append({"name": "field", "from": "field", "match": "{path}", "to": "cloud", "address": "field/{device}/{path}"})
        return settings

    def refused(self):
        return sum(self.gateway.status()["ledger"]["refused"].values())

    def assert_refused(self, topic):
        before = self.refused()
        self.publisher.publish(topic, "1")
        wait_until(lambda: self.refused() > before, f"{topic} is refused")

    def test_a_capture_is_the_device(self):
        self.publisher.publish("sensors/oven-1/temp", "210", content_type="text/plain")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.payload, message.device), ("plant-7/oven-1/temp", "210", "oven-1"))
        self.assertEqual(message.content_type, "text/plain;charset=utf-8")

    def test_without_a_word_it_is_the_endpoint(self):
        self.publisher.publish("other/x", "1")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.device), ("near/x", "near"))

    def test_nobody_speaks_for_a_device_that_is_enrolled(self):
        self.psk_sensor("pump-1")
        self.assert_refused("sensors/pump-1/temp")
        self.assert_refused("sensors/field/temp")
        self.publisher.publish("relay/pump-1/temp", "2")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.device), ("relay/pump-1/temp", "pump-1"))
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assert_refused("relay/pump-1/temp")
        self.assertEqual(len(self.subscriber.messages()), 1)

    def test_the_way_is_shown(self):
        tail = Process([BUILD / "tidegatectl", "--json", "--run", self.gateway.run, "tail", "--device", "oven-1", "--count", "4"])

        def listens():  # it has no way to say so
            self.publisher.publish("sensors/oven-1/probe", "0")
            return tail.lines.all()
        wait_until(listens, "tail shows something")
        self.publisher.publish("sensors/oven-1/temp", "210")
        message = self.subscriber.wait_for(1, lambda m: m.payload == "210")[0]
        self.assertEqual(tail.wait(), 0)
        tail.wait_lines()
        for event in map(json.loads, tail.lines.all()):
            self.assertEqual((event["device"], event["to"]), ("oven-1", "cloud"))
            self.assertRegex(event["address"], "^plant-7/oven-1/(probe|temp)$")
        self.assertRegex(message.id, "-7")
        step = self.gateway.ctl("routes", "test", "near", "near", "sensors/oven-1/temp")[0]
        self.assertEqual((step["goes"], step["source"], step["address"]), (True, "oven-1", "plant-7/oven-1/temp"))
        _, said, _ = self.gateway.say("routes", "test", "near", "near", "sensors/oven-1/temp")
        self.assertIn('plant-7/oven-1/temp as "oven-1"', said)

    def test_the_last_reading_is_the_devices(self):
        self.publisher.publish("sensors/oven-1/temp", "210")
        self.subscriber.wait_for(1)
        readings = wait_until(lambda: self.gateway.ctl("readings")["readings"], "there is a reading")
        self.assertEqual([(r["device"], r["path"]) for r in readings], [("oven-1", "sensors/oven-1/temp")])

    def test_the_way_back_goes_once(self):
        """What is published where it is taken from comes back, and is known."""
        self.publisher.publish("round/x", "1")
        wait_until(lambda: self.counters()["ignored"] == 1, "it came back")
        wait_until(lambda: self.counters()["acknowledged"] == 2, "both are acknowledged")
        self.assertEqual(self.gateway.outbox("near")["ledger"]["delivered"], 1)

    def test_a_way_back_has_to_be_meant(self):
        settings = self.configuration()
        del settings["routes"][3]["back"]
        self.gateway.configure(settings)
        code, said = self.gateway.check()
        self.assertEqual(code, 78)
        self.assertIn("is the endpoint that the messages come from; where that is meant, set back = true", said)


if __name__ == "__main__":
    main()
