# SPDX-License-Identifier: Apache-2.0
"""Devices that read and observe what others have handed in, through the whole gateway and with the cloud unplugged."""
import shutil
import unittest

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups

PUMPS = {"name": "pumps", "devices": ["pump-*"], "reads": ["tank-*/level"]}
LAMPS = {"name": "lamps", "devices": ["lamp-*"]}
LEVEL = "readings/tank-1/level"


class ReadersCase(GatewayCase):
    settings = {"profiles": Groups([PUMPS, LAMPS]), "limits": {"reading_max_age_s": 30}}

    def setUp(self):
        super().setUp()
        self.tank, self.pump, self.lamp = (self.psk_sensor(name) for name in ("tank-1", "pump-1", "lamp-1"))

    def unplug(self):
        self.broker.kill()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is down")

    def plug_in(self):
        """So that the end of the case is in good order."""
        self.broker.start()
        self.wait_drained()

    def level(self, text):
        self.assertEqual(self.tank.post("level", text, content_format=0).code, "2.04")

    def observe(self, device, path=LEVEL, **options):
        observation = device.observe(path, **options)
        self.addCleanup(observation.close)
        return observation

    def observers(self):
        return self.gateway.status()["readings"]["observers"]

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    allowed = [r"cloud|broker|link"]


class Get(ReadersCase):
    def test_the_last_reading(self):
        self.level("41")
        self.level("42")
        reply = self.pump.request("get", LEVEL)
        self.assertEqual((reply.code, reply.text), ("2.05", "42"), reply)
        self.assertEqual(reply.options["Content-Format"], "text/plain")
        self.assertIn(int(reply.options["Max-Age"]), range(1, 31))
        known = self.pump.request("get", LEVEL, more=["-O", f"4,{reply.options['ETag']}"])
        self.assertEqual((known.code, known.text, known.options["ETag"]), ("2.03", "", reply.options["ETag"]))
        self.level("42")
        newer = self.pump.request("get", LEVEL, more=["-O", f"4,{reply.options['ETag']}"])
        self.assertEqual((newer.code, newer.text), ("2.05", "42"), newer)
        self.assertNotEqual(newer.options["ETag"], reply.options["ETag"], "another reading, though it says the same")
        self.assertEqual(self.pump.request("get", LEVEL, more=["-A", "0"]).code, "2.05")
        self.assertEqual(self.pump.request("get", LEVEL, more=["-A", "50"]).code, "4.06")
        self.subscriber.wait_for(3)

    def test_who_may_not_learns_nothing(self):
        self.level("42")
        for path in (LEVEL, "readings/tank-1/other", "readings/nobody/level"):
            self.assertEqual(self.lamp.request("get", path).code, "4.03", path)
        self.assertEqual(self.pump.request("get", "readings/tank-1/secret").code, "4.03")
        self.assertEqual(self.pump.request("get", "readings/tank-2/level").code, "4.04")
        self.assertEqual(self.tank.request("get", LEVEL).text, "42", "its own it may read")

    def test_it_grows_stale(self):
        self.gateway.configure(self.configuration(limits={"reading_max_age_s": 1}))
        self.gateway.ctl("reload")
        self.level("42")
        wait_until(lambda: self.pump.request("get", LEVEL).options["Max-Age"] == "0", "it is stale", 60)

    def test_a_large_one_in_pieces(self):
        large = self.folder / "large"
        large.write_text("".join(f"{n:07}," for n in range(1000)), encoding="ascii")
        self.assertEqual(self.tank.send_file("level", large).code, "2.04")
        copy = self.folder / "copy"
        self.assertEqual(self.pump.request("get", LEVEL, more=["-o", str(copy)]).code, "2.05")
        self.assertEqual(copy.read_bytes(), large.read_bytes())
        self.assertEqual(self.pump.request("get", LEVEL, more=["-b", "64", "-o", str(copy)]).code, "2.05")
        self.assertEqual(copy.read_bytes(), large.read_bytes())

    def test_links(self):
        self.assertIn("</readings>;", self.pump.request("get", ".well-known/core").text)
        self.gateway.configure(self.configuration(field={"readings": ""}))
        self.gateway.ctl("reload")
        self.assertNotIn("readings>", self.pump.request("get", ".well-known/core").text)
        self.level("42")
        self.assertEqual(self.pump.request("get", LEVEL).code, "4.05")


class Observe(ReadersCase):
    def test_without_any_cloud(self):
        self.unplug()
        self.level("1")
        observation = self.observe(self.pump)
        first = observation.wait("2.05", "1")
        self.assertEqual(self.observers(), 1)
        numbers = [int(first.options["Observe"])]
        for n in range(2, 8):
            self.level(str(n))
            reply = observation.wait("2.05", str(n))
            numbers.append(int(reply.options["Observe"]))
            self.assertIn(int(reply.options["Max-Age"]), range(1, 31))
        forward = [(b - a) % (1 << 24) for a, b in zip(numbers, numbers[1:])]
        self.assertTrue(all(0 < step < 1 << 23 for step in forward), numbers)
        self.assertEqual(len({reply.options["ETag"] for reply in observation.replies()}), 7)
        self.plug_in()

    def test_who_may_not(self):
        self.level("1")
        self.observe(self.lamp).wait("4.03")
        self.assertEqual(self.observers(), 0)

    def test_what_is_not_there_yet(self):
        self.observe(self.pump).wait("4.04")
        self.assertEqual(self.observers(), 0)

    def test_a_client_of_another_library(self):
        if not shutil.which("coap-client-gnutls"):
            raise unittest.SkipTest("no coap-client-gnutls here")
        self.pump.program = "coap-client-gnutls"
        self.level("1")
        observation = self.observe(self.pump)
        observation.wait("2.05", "1")
        self.level("2")
        observation.wait("2.05", "2")

    def test_it_survives_the_core(self):
        self.level("1")
        observation = self.observe(self.pump)
        observation.wait("2.05", "1")
        pid = self.gateway.pid("field")
        for n in ("2", "3"):
            self.gateway.kill()
            self.gateway.start()
            self.level(n)
            observation.wait("2.05", n)
        self.assertEqual(self.gateway.pid("field"), pid)
        self.assertEqual([reply.text for reply in observation.replies()], ["1", "2", "3"], "and is told nothing else")
        wait_until(lambda: self.observers() == 1, "the core knows of it")

    def test_the_end_of_its_process(self):
        self.level("1")
        observation = self.observe(self.pump)
        observation.wait("2.05", "1")
        observation.close()
        self.assertEqual(self.observers(), 1, "nobody has said goodbye")
        self.level("2")
        wait_until(lambda: self.observers() == 0, "nobody acknowledges", 150)
        wait_until(lambda: self.counter("observers_given_up") == 1, "it is counted")


class Revoked(ReadersCase):
    def setUp(self):
        super().setUp()
        self.level("1")
        self.observation = self.observe(self.pump)
        self.observation.wait("2.05", "1")

    def test_the_one_that_is_read(self):
        self.gateway.ctl("device", "revoke", "tank-1")
        reply = self.observation.wait("4.03")
        self.assertNotIn("Observe", reply.options)
        self.assertEqual(self.observers(), 0)

    def test_the_one_that_reads(self):
        self.gateway.ctl("device", "revoke", "pump-1")
        wait_until(lambda: self.observers() == 0, "it is no observer")
        self.level("2")
        self.assertEqual([reply.text for reply in self.observation.replies()], ["1"])
        self.assertEqual(self.counter("notifications"), 0)

    def test_the_right_to_read(self):
        self.gateway.configure(self.configuration(profiles=Groups([{**PUMPS, "reads": ["tank-*/other"]}])))
        self.gateway.ctl("reload")
        reply = self.observation.wait("4.03")
        self.assertNotIn("Observe", reply.options)
        self.assertEqual(self.observers(), 0)
        self.level("2")
        self.assertEqual(self.pump.request("get", LEVEL).code, "4.03")


if __name__ == "__main__":
    main()
