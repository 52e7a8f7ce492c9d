# SPDX-License-Identifier: Apache-2.0
"""Readings of sensors with a PSK and with a certificate reach the broker, with all that belongs to them."""
import re
from datetime import datetime, timedelta, timezone

from harness import GatewayCase, Sensor, main, wait_until


class MainJob(GatewayCase):
    def assert_arrives(self, sensor, path, payload, **options):
        reply = sensor.post(path, payload, **options)
        self.assertEqual(reply.code, "2.04", reply)
        return self.subscriber.wait_for(1, lambda m: m.device == sensor.name and m.payload == payload)[0]

    def test_psk_sensor(self):
        message = self.assert_arrives(self.psk_sensor("pump-1"), "temperature", "21.5")
        self.assertEqual(message.topic, "plant-7/hall-3/pump-1/temperature")
        self.assertEqual(message.qos, 1)
        self.assertFalse(message.retain)

    def test_certificate_sensors(self):
        by_name = self.certificate_sensor("valve-2")
        by_dns = self.certificate_sensor("valve-3", names="DNS:valve-3")
        self.assertEqual(self.assert_arrives(by_name, "a/b", "1").topic, "plant-7/hall-3/valve-2/a/b")
        self.assertEqual(self.assert_arrives(by_dns, "a", "2").topic, "plant-7/hall-3/valve-3/a")

    def test_both_at_once_and_again(self):
        pump, valve = self.psk_sensor("pump-1"), self.certificate_sensor("valve-2")
        for number in range(5):
            self.assert_arrives(pump, "t", f"p{number}")
            self.assert_arrives(valve, "t", f"v{number}")
        self.assertEqual(self.wait_drained()["delivered"], 10)

    def test_properties(self):
        message = self.assert_arrives(self.psk_sensor("pump-1"), "t", '{"v":1}', content_format=50)
        self.assertRegex(message.id, r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertEqual(message.content_type, "application/json")
        taken = datetime.strptime(message.time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
        self.assertLess(abs(datetime.now(timezone.utc) - taken), timedelta(minutes=1))

    def test_put_and_non_confirmable(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.request("put", "t", "by put").code, "2.04")
        self.assert_arrives(sensor, "t", "non-confirmable", confirmable=False)
        self.subscriber.wait_for(2)

    def test_blockwise(self):
        sensor = self.psk_sensor("pump-1")
        text = "".join(f"{n:07}\n" for n in range(5000))  # 40,000 bytes
        file = self.folder / "body"
        file.write_text(text, encoding="ascii")
        reply = sensor.send_file("log", file, content_format=0)
        self.assertEqual(reply.code, "2.04", reply)
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual(message.payload, text)
        self.assertTrue(message.content_type.startswith("text/plain"), message)

    def test_hostile_path_reaches_no_other_topic(self):
        sensor = self.psk_sensor("pump-1")
        message = self.assert_arrives(sensor, "a%2Fb/%23/%2B/c%0Ad", "x")
        self.assertTrue(message.topic.startswith("plant-7/hall-3/pump-1/"), message)
        self.assertIsNone(re.search(r"[+#\x00]", message.topic), message)
        self.assertEqual(message.topic.count("/"), 6, message)

    def test_status_message(self):
        def told():
            return [m.payload for m in self.subscriber.status_messages() if m.topic == "plant-7/hall-3/status"]
        wait_until(told, "the gateway says how it is")
        self.assertIn("online", told()[-1])

    def test_discovery(self):
        reply = self.psk_sensor("pump-1").request("get", ".well-known/core")
        self.assertEqual(reply.code, "2.05", reply)

    def test_key_is_one_devices_only(self):
        sensor = self.psk_sensor("pump-1")
        self.psk_sensor("pump-2")
        other = Sensor("pump-2", self.coap_port, key=sensor.key)
        self.assertEqual(other.post("t", "stolen", wait_s=2).code, "")
        self.assert_arrives(sensor, "t", "mine")
        self.assertEqual([m.payload for m in self.subscriber.messages()], ["mine"])


if __name__ == "__main__":
    main()
