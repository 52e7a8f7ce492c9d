# SPDX-License-Identifier: Apache-2.0
"""Commands from the broker to devices that have opened their session themselves, over the whole gateway."""
import json
import subprocess

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups


class DeviceCommands(GatewayCase):
    def configuration(self, **changes):
        return super().configuration(routes=Groups([
            {"name": "telemetry", "from": "field", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "commands", "from": "cloud", "match": "down/{device}/{path}", "to": "field", "address": "/{path}",
             "response": "answer/{device}/{path}"},
        ]), **changes)

    def publish(self, topic, payload, method):
        subprocess.run([
            "mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.broker.port), "-q", "1", "-t", topic, "-m", payload,
            "-D", "publish", "user-property", "method", method, "--cafile", self.pki.certificate("cloud-ca"),
            "--cert", self.pki.certificate("subscriber"), "--key", self.pki.key("subscriber"),
        ], check=True, timeout=30)

    def answers(self, topic, count):
        """Waits for so many answers, each told once or more; returns their payloads."""
        found = self.subscriber.wait_for(count, lambda m: m.topic == topic)
        by_id = {m.id: m.payload for m in found}
        return list(by_id.values())

    def test_there_and_back(self):
        device = self.psk_device("pump-1")
        large = "".join(f"{n:07}\n" for n in range(4000)).rstrip("\n")
        self.publish("down/pump-1/set", large, "PUT")
        self.answers("answer/pump-1/set", 1)
        self.publish("down/pump-1/set", "", "GET")
        self.assertEqual(self.answers("answer/pump-1/set", 2)[1], large)
        self.publish("down/pump-1/slow", "", "GET")
        self.assertEqual(self.answers("answer/pump-1/slow", 1), ["done"])
        self.assertEqual([e["method"] for e in device.events("request")], ["PUT", "GET", "GET"])

    def test_it_waits_for_a_device_without_a_session(self):
        device = self.psk_device("pump-1")
        device.tell("close")
        device.wait("closed")
        wait_until(lambda: "pump-1" not in json.dumps(self.gateway.ctl("sessions")), "the session is over")
        self.publish("down/pump-1/set", "first", "PUT")
        self.publish("down/pump-1/set", "second", "PUT")
        device.tell("open")
        device.wait("request", payload="first")
        device.wait("request", payload="second")
        self.answers("answer/pump-1/set", 2)

    def test_a_core_that_is_killed_asks_the_device_once(self):
        device = self.psk_device("pump-1")
        self.publish("down/pump-1/slow", "", "POST")
        device.wait("request", path="/slow")
        self.gateway.kill()
        self.gateway.start()
        self.wait_link("cloud")
        self.answers("answer/pump-1/slow", 1)
        self.publish("down/pump-1/set", "end", "PUT")
        device.wait("request", payload="end")
        self.assertEqual(device.executions(path="/slow"), 1)


if __name__ == "__main__":
    main()
