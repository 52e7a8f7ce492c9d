# SPDX-License-Identifier: Apache-2.0
"""Profiles: what the devices of each kind may do, each limit with its answer, changed under a live session."""
from harness import GatewayCase, Load, main, wait_until
from harness.gateway import Groups

PUMPS = {
    "name": "pumps", "devices": ["pump-*"], "paths": ["/t/{path}", "own/{device}"], "methods": ["PUT"],
    "formats": ["application/json"], "payload_max_bytes": 100,
    "command_paths": ["valve/{n}"], "command_methods": ["PUT", "GET"], "reads": ["tank-*/level", "weather/{path}"],
}
JSON = 50


class Refusals(GatewayCase):
    settings = {"profiles": Groups([PUMPS])}

    def setUp(self):
        super().setUp()
        self.pump = self.psk_sensor("pump-1")

    def put(self, path, text="{}", content_format=JSON):
        return self.pump.request("put", path, text, content_format=content_format)

    def assert_refused(self, code, reply):
        self.assertEqual(reply.code, code, reply)
        self.assertTrue(reply.text, "a diagnostic says why")
        self.assertEqual(self.gateway.outbox()["ledger"]["accepted"], 0)

    def test_path(self):
        self.assert_refused("4.03", self.put("alarm"))
        self.assert_refused("4.03", self.put("t"))
        self.assert_refused("4.03", self.put("own/pump-2"))
        self.assertEqual(self.put("t/a/b").code, "2.04")
        self.assertEqual(self.put("own/pump-1").code, "2.04")
        self.subscriber.wait_for(2)

    def test_method(self):
        self.assert_refused("4.03", self.pump.post("t/a", "{}", content_format=JSON))
        self.assertEqual(self.pump.request("get", "t/a").code, "4.05")
        self.assertEqual(self.pump.request("delete", "t/a").code, "4.05")
        self.assertEqual(self.put("t/a").code, "2.04")

    def test_format(self):
        self.assert_refused("4.15", self.put("t/a", "x", content_format=0))
        self.assert_refused("4.15", self.put("t/a", "x", content_format=None))
        self.assertEqual(self.put("t/a").code, "2.04")

    def test_size_at_the_limit_exactly(self):
        reply = self.put("t/a", "x" * 101)
        self.assert_refused("4.13", reply)
        self.assertEqual(reply.options.get("Size1"), "100", reply)
        self.assertEqual(self.put("t/a", "x" * 100).code, "2.04")

    def test_others_are_not_bound_by_it(self):
        valve = self.psk_sensor("valve-1")
        self.assertEqual(valve.post("anything", "x" * 101).code, "2.04")
        self.assertEqual(valve.request("put", "t/a", "x", content_format=0).code, "2.04")

    def test_the_registry_counts_first(self):
        valve = self.psk_sensor("valve-1")
        self.gateway.ctl("device", "profile", "valve-1", "pumps")
        self.assertEqual(valve.post("anything", "x").code, "4.03")
        self.gateway.ctl("device", "profile", "pump-1", "default")
        self.assertEqual(self.pump.post("anything", "x").code, "2.04")
        self.gateway.ctl("device", "profile", "valve-1", "")
        self.assertEqual(valve.post("anything", "x").code, "2.04")


class Lost(GatewayCase):
    """A profile that the registry names and the configuration has not (any more) opens no gate."""

    settings = {"profiles": Groups([{"name": "pumps", "paths": ["t"]}])}
    allowed = [r"nothing is taken of 1 devices: the profile that the registry names"]

    def test_lost_by_a_reload(self):
        sensor = self.psk_sensor("pump-1")
        self.gateway.ctl("device", "profile", "pump-1", "pumps")
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        self.gateway.configure(self.configuration(profiles=Groups([])))
        self.gateway.ctl("reload")
        self.gateway.lines.wait_line(r"nothing is taken of 1 devices")
        self.assertEqual(sensor.post("t", "2").code, "4.03")
        shown = self.gateway.ctl("device", "show", "pump-1")
        self.assertEqual((shown["profile"], shown["profile_from"]), ("pumps", "missing"))
        self.assertEqual(self.gateway.ctl("profiles")["missing"], 1)
        self.assertIn("not configured", self.gateway.say("profiles")[1])
        self.gateway.configure(self.configuration())
        self.gateway.ctl("reload")
        self.assertEqual(sensor.post("t", "3").code, "2.04")


class Rate(GatewayCase):
    settings = {
        "limits": {"rate": 100},
        "profiles": Groups([{"name": "slow", "devices": ["slow-*"], "rate": 1, "burst": 3}]),
    }

    def test_burst_and_rate(self):
        load = Load(self.folder, self.coap_port, self.keys(1, "slow-"), "--count", 60, "--refused", "count").start()
        summary = load.wait()
        accepted, seconds = summary["acknowledged"], int(summary["seconds"]) + 1
        self.assertGreaterEqual(accepted, 3, summary)
        self.assertLessEqual(accepted, 3 + seconds, summary)
        self.assertEqual(summary["refused"], {"4.29": 60 - accepted}, summary)

    def test_max_age(self):
        sensor = self.psk_sensor("slow-1")
        load = Load(self.folder, self.coap_port, {"slow-1": sensor.key}, "--rate", 20, "--refused", "count").start()
        wait_until(lambda: self.gateway.ctl("device", "show", "slow-1")["refused"], "the load is over the rate")
        # Of a few requests beside the load one must come when there is no token.
        replies = []
        wait_until(lambda: replies.append(sensor.post("t", "x")) or replies[-1].code == "4.29", "one is refused")
        self.assertEqual(replies[-1].options.get("Max-Age"), "1", replies[-1])
        load.stop()


class Share(GatewayCase):
    """One device cannot fill the outbox for all."""

    settings = {
        "store": {"disk_bytes": 1024 * 1024, "reserve_bytes": 0},
        "profiles": Groups([{"name": "default", "outbox_share": 2}, {"name": "vip", "devices": ["vip-*"]}]),
    }
    allowed = [r"cloud|broker|link"]

    def fill(self, key, first):
        load = Load(self.folder, self.coap_port, {"pump-1": key}, "--count", 200, "--refused", "count", "--first", first)
        return load, load.start().wait()

    def test_over_a_restart(self):
        key, other = self.gateway.add_psk("pump-1"), self.psk_sensor("pump-2")
        vip = self.psk_sensor("vip-1")
        self.broker.kill()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is down")
        load, summary = self.fill(key, 1)
        taken = summary["acknowledged"]
        self.assertGreater(taken, 10, summary)
        self.assertEqual(summary["refused"], {"5.03": 200 - taken}, summary)
        self.assertEqual(self.gateway.outbox()["ledger"]["refused"].get("full"), 200 - taken)
        for sensor in (other, vip):
            self.assertEqual(sensor.post("t", f"{sensor.name} 1").code, "2.04", "others have their own share")

        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        _, summary = self.fill(key, 1000)
        self.assertEqual((summary["acknowledged"], summary["refused"]), (0, {"5.03": 200}), summary)
        self.assertEqual(other.post("t", f"{other.name} 2").code, "2.04")

        self.broker.start_with_subscribers()
        self.wait_drained()
        self.wait_for_readings_of(load.acknowledged())
        _, summary = self.fill(key, 2000)
        self.assertEqual(summary["acknowledged"], 200, summary)

    def test_max_age(self):
        sensor = self.psk_sensor("pump-1")
        self.broker.kill()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is down")
        self.fill(sensor.key, 1)
        reply = sensor.post("t", "x" * 200)
        self.assertEqual((reply.code, reply.options.get("Max-Age")), ("5.03", "30"), reply)
        self.assertIn("share", reply.text)


class Reload(GatewayCase):
    allowed = [r"tidegate\.conf", r"was not reloaded"]

    def use(self, **profile):
        self.gateway.configure(self.configuration(profiles=Groups([{"name": "default", **profile}])))
        self.gateway.ctl("reload")

    def counts(self):
        shown = self.gateway.ctl("device", "show", "sensor-01")
        return shown["accepted"], shown["refused"]

    def wait_for_more(self, place, what):
        """Waits until ten more are counted, and nothing else is."""
        before = self.counts()
        wait_until(lambda: self.counts()[place] >= before[place] + 10, what)

    def test_limits_change_under_a_live_session(self):
        load = Load(self.folder, self.coap_port, self.keys(1), "--rate", 50, "--path", "/t/a", "--refused", "count").start()
        self.wait_for_more(0, "readings are taken")
        for profile, code in (({"paths": ["x"]}, "4.03"), ({"methods": ["PUT"]}, "4.03"),
                              ({"formats": ["application/json"]}, "4.15"), ({"payload_max_bytes": 10}, "4.13"),
                              ({"rate": 1, "burst": 1}, "4.29")):
            self.use(**profile)
            self.wait_for_more(1, f"readings are refused with {code}")
            self.use()
            self.wait_for_more(0, "readings are taken again")
        summary = load.stop()
        self.assertEqual((summary["handshakes"], summary["sessions_lost"]), (1, 0), summary)
        self.assertEqual(set(summary["refused"]), {"4.03", "4.15", "4.13", "4.29"}, summary)
        self.assertEqual(summary["unanswered"], 0, summary)
        self.assert_promises(load, summary)

    def test_patches_are_for_those_who_may(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.request("patch", "t", "1").code, "4.05")
        self.use(methods=["PATCH", "iPATCH"])
        self.assertEqual(sensor.request("patch", "t", "2").code, "2.04")
        self.assertEqual(sensor.request("ipatch", "t", "3").code, "2.04")
        self.assertEqual(sensor.request("post", "t", "4").code, "4.03")
        wait_until(lambda: len(self.subscriber.messages()) >= 2, "the patches arrive")
        self.assertEqual([m.payload for m in self.subscriber.messages()], ["2", "3"])

    def test_a_broken_profile_changes_nothing(self):
        sensor = self.psk_sensor("pump-1")
        self.use(paths=["t"])
        self.gateway.configure(self.configuration(profiles=Groups([{"name": "default", "path": ["x"], "rate": -1}])))
        self.gateway.ctl("reload", good=(1,))
        self.gateway.lines.wait_line(r"unknown setting \"path\"; did you mean \"paths\"\?")
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        self.assertEqual(sensor.post("x", "1").code, "4.03")


class Operator(GatewayCase):
    settings = {"profiles": Groups([PUMPS, {"name": "spare", "rate": 5, "burst": 7, "outbox_share": 10, "commands": False}])}

    def test_device_show(self):
        self.psk_sensor("pump-1")
        self.psk_sensor("valve-1")
        self.psk_sensor("valve-2")
        self.gateway.ctl("device", "profile", "valve-2", "spare")
        shown = {name: self.gateway.ctl("device", "show", name) for name in ("pump-1", "valve-1", "valve-2")}
        self.assertEqual({name: (s["profile"], s["profile_from"]) for name, s in shown.items()}, {
            "pump-1": ("pumps", "name"), "valve-1": ("default", "default"), "valve-2": ("spare", "registry"),
        })
        self.assertRegex(self.gateway.say("device", "show", "valve-2")[1], r"profile +spare +\(named in the registry\)")

    def test_profiles(self):
        for name in ("pump-1", "pump-2", "valve-1"):
            self.psk_sensor(name)
        answer = self.gateway.ctl("profiles")
        self.assertEqual(answer["missing"], 0)
        by_name = {p["profile"]: p for p in answer["profiles"]}
        self.assertEqual({name: p["enrolled"] for name, p in by_name.items()}, {"pumps": 2, "spare": 0, "default": 1})
        self.assertEqual(by_name["pumps"]["methods"], ["PUT"])
        self.assertEqual((by_name["spare"]["rate"], by_name["spare"]["burst"], by_name["spare"]["commands"]), (5, 7, False))
        self.assertFalse(by_name["default"]["given"])
        code, said, _ = self.gateway.say("profiles")
        self.assertEqual(code, 0)
        self.assertRegex(said, r"pumps +2 +pump-\* +/t/\{path\}, own/\{device\} +PUT +application/json +100 ")
        self.assertRegex(said, r"pumps +GET, PUT +valve/\{n\} +tank-\*/level, weather/\{path\}")
        self.assertRegex(said, r"spare +no +- +its own")
        self.assertRegex(said, r"default +GET, POST, PUT, DELETE +all +its own")
        self.assertEqual(by_name["pumps"]["reads"], ["tank-*/level", "weather/{path}"])

    def test_routes_test(self):
        steps = self.gateway.ctl("routes", "test", "field", "pump-1", "/t/a")
        self.assertEqual([(s["goes"], s["profile"]) for s in steps], [(True, "pumps")])
        steps = self.gateway.ctl("routes", "test", "field", "pump-1", "/alarm")
        self.assertEqual([(s["goes"], s["address"]) for s in steps], [(False, "")])
        self.assertIn("profile", steps[0]["step"])
        self.assertIn("not allowed by the device's profile", self.gateway.say("routes", "test", "field", "pump-1", "/alarm")[1])
        self.assertTrue(self.gateway.ctl("routes", "test", "field", "valve-1", "/alarm")[0]["goes"])

    def test_config_shows_them(self):
        said = self.gateway.say("config")[1]
        self.assertIn('name = "spare";', said)
        self.assertEqual(self.gateway.check()[0], 0)
        self.assertIn("2 profiles", self.gateway.check()[1])


if __name__ == "__main__":
    main()
