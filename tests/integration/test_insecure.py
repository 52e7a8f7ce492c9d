# SPDX-License-Identifier: Apache-2.0
"""A listener without DTLS: only where the file says so, for one enrolled device, and said again wherever somebody looks."""
import socket

from harness import GatewayCase, main, wait_until
from harness.process import free_port
from harness.sensors import Sensor


class PlainSensor(Sensor):
    """Anybody with coap-client-notls."""

    program = "coap-client-notls"

    def __init__(self, port):
        super().__init__("nobody", port, key=b"none")
        self._uri, self._proof = f"coap://127.0.0.1:{port}", []


class Insecure(GatewayCase):
    allowed = [r"is insecure", r"insecure = true", r"INSECURE"]

    def configuration(self, **changes):
        self.plain_port = free_port(socket.SOCK_DGRAM)
        listen = [f"coaps://127.0.0.1:{self.coap_port}", f"coap://127.0.0.1:{self.plain_port}"]
        return super().configuration(
            field={"listen": listen, "insecure": True, "insecure_device": "meter-1"}, **changes)

    def test_for_one_enrolled_device(self):
        nobody = PlainSensor(self.plain_port)
        self.assertEqual(nobody.post("t", "1").code, "4.01", "nothing is taken for a device that is not enrolled")
        self.gateway.ctl("device", "add", "meter-1", "--enrol-only")
        self.assertEqual(nobody.post("t", "21.5").code, "2.04")
        message = self.subscriber.wait_for(1)[0]
        self.assertEqual((message.topic, message.payload), ("plant-7/hall-3/meter-1/t", "21.5"))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "2").code, "2.04", "DTLS goes on beside it")
        self.gateway.ctl("device", "revoke", "meter-1")
        self.assertEqual(nobody.post("t", "3").code, "4.01", "a revocation takes effect at once")
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["plain_datagrams"] >= 3, "the datagrams are counted")

    def test_it_is_said_again_and_again(self):
        self.assertIn("INSECURE at coap://: anybody is device 'meter-1'", self.gateway.endpoint("field")["detail"])
        self.gateway.lines.wait_line(r"insecure = true: anybody on the network of coap://")
        line = next(line for line in self.gateway.ctl("audit", "--no-updates", good=(0, 4))["lines"] if line["id"] == "plain")
        self.assertEqual(line["state"], "fail", line)


class NotByItself(GatewayCase):
    """Without the words the endpoint does not begin, and says what is missing."""

    links = []
    allowed = [r"it would be without DTLS", r"field"]

    def configuration(self, **changes):
        return super().configuration(field={"listen": [f"coap://127.0.0.1:{self.coap_port}"]}, **changes)

    def test_the_endpoint_does_not_begin(self):
        self.gateway.lines.wait_line(r"it would be without DTLS: use coaps://, or set insecure = true")
        self.assertNotEqual(self.gateway.endpoint("field")["link"], "up")


if __name__ == "__main__":
    main()
