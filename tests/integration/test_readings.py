# SPDX-License-Identifier: Apache-2.0
"""What the operator sees of the last readings that are kept for readers, and what does not get there."""
from harness import GatewayCase, main, wait_until
from harness.gateway import BUILD, Groups
from harness.process import Process


class Kept(GatewayCase):
    settings = {"limits": {"readings_max": 20}, "profiles": Groups([{"name": "default", "paths": ["t", "u/{n}"]}])}

    def kept(self, *words):
        answer = self.gateway.ctl("readings", *words)
        return {(r["device"], r["path"]): r for r in answer["readings"]}

    def test_the_last_of_each_that_was_accepted(self):
        pump, tank = self.psk_sensor("pump-1"), self.psk_sensor("tank-1")
        self.assertEqual(self.gateway.say("readings")[1].strip(), "No reading is kept.")
        for payload in ("1", "2\\\x01ä", "3"):
            self.assertEqual(pump.post("t", payload).code, "2.04")
        self.assertEqual(tank.post("t", "\x1b[31m\\").code, "2.04")
        self.assertEqual(tank.post("u/1", "x" * 300).code, "2.04")
        self.assertEqual(pump.post("secret", "4").code, "4.03")
        kept = self.kept("--payload")
        self.assertEqual(set(kept), {("pump-1", "t"), ("tank-1", "t"), ("tank-1", "u/1")})
        self.assertEqual(kept["pump-1", "t"]["payload"], "3")
        self.assertEqual(kept["tank-1", "t"]["payload"], r"\x1b[31m\\")
        self.assertEqual((kept["tank-1", "u/1"]["payload"], kept["tank-1", "u/1"]["cut"]), ("x" * 256, True))
        self.assertEqual(kept["tank-1", "u/1"]["bytes"], 300)
        self.assertLessEqual(kept["pump-1", "t"]["fresh_s"], 60)
        self.assertNotIn("payload", self.kept()["pump-1", "t"])
        self.assertEqual(set(self.kept("pump-1")), {("pump-1", "t")})
        code, said, _ = self.gateway.say("readings", "--count", "1")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"tank-1 +u/1 +\d+ \w+ +\d+ s +none +300 +0\n")
        self.assertIn("2 more", said)
        self.assertNotIn("xxx", said)
        self.assertEqual(self.gateway.ctl("readings", "lost", good=(1,)), None)
        self.assertRegex(self.gateway.say("status")[1], r"readings  3 kept for readers, \d+ bytes, 0 evicted, 0 observers")

    def test_bounded_and_live(self):
        sensor = self.psk_sensor("pump-1")
        for n in range(5):
            self.assertEqual(sensor.post(f"u/{n}", str(n)).code, "2.04")
        self.assertEqual(set(self.kept()), {("pump-1", "u/3"), ("pump-1", "u/4")}, "a tenth of 20 is its share")
        self.assertEqual(self.gateway.status()["readings"]["evicted"], 3)
        self.gateway.configure(self.configuration(limits={"readings_max": 0}))
        self.gateway.ctl("reload")
        self.assertEqual(self.kept(), {})
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        status = self.gateway.status()["readings"]
        self.assertEqual((status["count"], status["bytes"]), (0, 0))

    def test_without_the_cloud(self):
        self.broker.kill()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is down")
        self.assertEqual(self.psk_sensor("pump-1").post("t", "1").code, "2.04")
        self.assertEqual(set(self.kept()), {("pump-1", "t")})
        self.broker.start()
        self.wait_drained()

    allowed = [r"cloud|broker|link"]

    def test_forgotten_with_the_device(self):
        for name in ("pump-1", "pump-2"):
            self.assertEqual(self.psk_sensor(name).post("t", "1").code, "2.04")
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assertEqual(set(self.kept()), {("pump-2", "t")})


class NoCloud(GatewayCase):
    """Devices read each other's readings where there is no cloud at all: an endpoint on the gateway takes them."""

    links = ["here"]

    def configuration(self, **changes):
        settings = super().configuration(profiles=Groups([{"name": "panels", "devices": ["panel-*"], "reads": ["pump-*/t"]}]), **changes)
        settings["endpoints"] = Groups([settings["endpoints"][0], {"name": "here", "adapter": "loopback", "submit": False}])
        settings["routes"] = Groups([{"name": "r", "from": "field", "match": "/{path}", "to": "here", "address": "{path}"}])
        return settings

    def test_read_and_refused(self):
        pump, panel = self.psk_sensor("pump-1"), self.psk_sensor("panel-1")
        tail = Process([BUILD / "tidegatectl", "--run", self.gateway.run, "tail", "--device", "panel-1", "--count", "1"])
        self.assertEqual(pump.post("t", "21").code, "2.04")
        self.assertEqual(pump.post("secret", "22").code, "2.04")
        reply = panel.request("get", "readings/pump-1/t")
        self.assertEqual((reply.code, reply.text), ("2.05", "21"))
        while not tail.lines.all():  # it has no way to say that it listens
            self.assertEqual(panel.request("get", "readings/pump-1/secret").code, "4.03")
        self.assertEqual(tail.wait(), 0)
        tail.wait_lines()
        self.assertRegex(tail.lines.all()[0], r"refused +panel-1 /pump-1/secret +\(the reader's profile does not let it")
        status = self.gateway.status()["readings"]
        self.assertEqual((status["answered"], status["count"]), (1, 2))
        self.assertGreaterEqual(status["refused"], 1)
        self.gateway.ctl("device", "profile", "panel-1", "default")
        self.assertEqual(panel.request("get", "readings/pump-1/t").code, "4.03")


if __name__ == "__main__":
    main()
