# SPDX-License-Identifier: Apache-2.0
"""The resource directory in the real gateway: two devices with a client of libcoap, one registers and the other looks up."""
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


if __name__ == "__main__":
    main()
