# SPDX-License-Identifier: Apache-2.0
"""The configuration: checked without touching anything, reloaded as a whole or not at all."""
import os

from harness import GatewayCase, Load, main
from harness.gateway import Groups

BROKEN = """gateway = { nam = "hall-3"; };
endpoints = (
  { name = "field"; adapter = "coap"; listen = [ "coaps://127.0.0.1:1" ]; sessions = "many"; },
  { name = "cloud"; adapter = "mqtt"; broker = [ "mqtts://localhost:1" ]; window = 999999999; }
);
routes = ( { name = "r"; from = "field"; match = "/{path}"; to = "clowd"; address = "{path}"; } );
"""
BROKEN_PLACES = [(1, "nam"), (3, "sessions"), (4, "window"), (6, "clowd")]


class Reload(GatewayCase):
    allowed = [r"tidegate\.conf", r"reload", r"configuration"]

    def routes(self, address):
        return Groups([{"name": "telemetry", "from": "field", "match": "/{path}", "to": "cloud", "address": address}])

    def topic_of_next(self, sensor):
        count = len(self.subscriber.messages())
        self.assertEqual(sensor.post("t", str(count)).code, "2.04")
        return self.subscriber.wait_for(count + 1)[-1].topic

    def test_good(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(self.topic_of_next(sensor), "plant-7/hall-3/pump-1/t")
        self.gateway.configure(self.configuration(routes=self.routes("new/{device}/{path}")))
        self.gateway.ctl("reload")
        self.assertEqual(self.topic_of_next(sensor), "new/pump-1/t")

    def test_sessions_go_on(self):
        load = Load(self.folder, self.coap_port, self.keys(10)).start()
        for number in range(5):
            self.gateway.configure(self.configuration(routes=self.routes(f"{number}/{{device}}/{{path}}")))
            self.gateway.ctl("reload")
            topic = f"{number}/"
            self.subscriber.wait_for(20, lambda m, topic=topic: m.topic.startswith(topic))
        summary = load.stop()
        self.assertEqual((summary["handshakes"], summary["sessions_lost"]), (10, 0), summary)
        self.assert_promises(load, summary)

    def test_bad_changes_nothing(self):
        sensor = self.psk_sensor("pump-1")
        pids = [self.gateway.pid(name) for name in ("field", "cloud")]
        self.gateway.configure(BROKEN)
        self.gateway.ctl("reload", good=(1,))
        self.gateway.lines.wait_line(r"was not reloaded")
        log = "\n".join(self.gateway.complaints())
        for line, word in BROKEN_PLACES:
            self.assertRegex(log, rf"tidegate\.conf:{line}\b.*{word}")
        self.assertEqual(self.topic_of_next(sensor), "plant-7/hall-3/pump-1/t")
        self.assertEqual([self.gateway.pid(name) for name in ("field", "cloud")], pids)

    def test_what_waits_for_a_restart_is_told(self):
        self.gateway.configure(self.configuration(field={"listen": ["coaps://127.0.0.1:1"]}))
        answer = self.gateway.ctl("reload")
        self.assertIn("listen", str(answer))


class Check(GatewayCase):
    allowed = [r"tidegate\.conf"]

    def everything_in_the_state_folder(self):
        return sorted((f.name, f.stat().st_mtime_ns) for f in self.gateway.state.iterdir())

    def test_good(self):
        self.assertEqual(self.gateway.stop(), 0)
        before = self.everything_in_the_state_folder()
        code, said = self.gateway.check()
        self.assertEqual(code, 0, said)
        self.assertEqual(self.everything_in_the_state_folder(), before)

    def test_bad_names_every_place(self):
        self.gateway.configure(BROKEN)
        code, said = self.gateway.check()
        self.assertEqual(code, 78, said)
        for line, word in BROKEN_PLACES:
            self.assertRegex(said, rf"tidegate\.conf:{line}\b.*{word}")
        self.assertIn("name", said)  # the nearest known name

    def test_start_with_a_bad_file(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.configure(BROKEN)
        self.gateway.begin()
        self.assertEqual(self.gateway.process.wait(), os.EX_CONFIG)


if __name__ == "__main__":
    main()
