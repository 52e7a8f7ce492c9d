# SPDX-License-Identifier: Apache-2.0
"""The resource directory in the real gateway: two devices with a client of libcoap, one registers and the other looks up."""
import socket
import time

from harness import GatewayCase, main, wait_until

LINK_FORMAT = 40
LINKS = '</temp>;rt="temperature-c";if="sensor",</light>;rt="light-lux";if="sensor"'


class Directory(GatewayCase):
    settings = {"field": {"directory": True}}

    def registrations(self):
        return self.gateway.endpoint("field")["counters"]["registrations"]

    def test_one_registers_and_another_looks_up(self):
        pump, valve = self.psk_sensor("pump-1"), self.psk_sensor("valve-1")
        base = "base=coaps://192.0.2.7"
        self.assertIn("rt=\"core.rd\"", valve.request("get", ".well-known/core?rt=core.rd").text)
        reply = pump.post(f"rd?ep=pump-1&lt=300&{base}", LINKS, content_format=LINK_FORMAT)
        self.assertEqual(reply.code, "2.01", reply)
        reply = valve.request("get", "rd-lookup/res?rt=light*")
        self.assertEqual((reply.code, reply.text), ("2.05", '<coaps://192.0.2.7/light>;rt="light-lux";if="sensor"'))
        reply = valve.request("get", "rd-lookup/ep?if=sensor")
        self.assertIn('</rd/1>;ep=pump-1;base="coaps://192.0.2.7";rt=core.rd-ep', reply.text)
        self.assertEqual(valve.post("rd?ep=pump-1", LINKS, content_format=LINK_FORMAT).code, "4.03")
        self.assertEqual(valve.request("delete", "rd/1").code, "4.03")
        wait_until(lambda: self.registrations() == 1, "the registration is counted")
        self.gateway.ctl("device", "revoke", "pump-1")
        wait_until(lambda: self.registrations() == 0, "who is revoked is not in it any more")
        self.assertEqual(valve.request("get", "rd-lookup/res").text, "")
        self.assertEqual(valve.post("t", "1").code, "2.04", "readings go on as before")
        self.subscriber.wait_for(1)


class Discovery(GatewayCase):
    """Multicast on the loopback interface: the groups are joined before the sandbox is shut, and answered from behind it."""

    settings = {"field": {"directory": True, "multicast": ["lo"]}}
    allowed = [r"cannot join group ff0"]  # where the machine has no IPv6

    def test_the_directory_is_found(self):
        question = b"\x51\x01\x12\x34\xab" + b"\xbb.well-known\x04core" + b"\x4art=core.rd"
        found = f'<coaps://127.0.0.1:{self.coap_port}/rd>;rt="core.rd";ct=40'.encode()
        end = time.monotonic() + 60
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            client.bind(("127.0.0.1", 0))
            client.settimeout(60)
            client.sendto(question, ("224.0.1.187", 5683))
            answers = []
            while not answers or found not in answers[-1]:  # other gateways of this machine may answer too
                self.assertLess(time.monotonic(), end, answers)
                answers.append(client.recv(2048))
        self.assertEqual(answers[-1][4:5], b"\xab", "the token")
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["multicast_answers"] == 1, "the answer is counted")


if __name__ == "__main__":
    main()
