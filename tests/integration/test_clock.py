# SPDX-License-Identifier: Apache-2.0
"""A box whose clock lies: what time the gateway goes by, what it says, and what its readings carry."""
import re
import time

from harness import DAY_S, FakeClock, GatewayCase, main, seconds, wait_until

NEAR_S = 120


class ClockCase(GatewayCase):
    allowed = [r"the clock ", r"(certificate|trust|server|device) is (expired|not-yet-valid|urgent)"]

    def prepare(self):
        self.clock = FakeClock(self.folder, self.gateway)

    def gateway_clock(self):
        return self.gateway.status()["clock"]

    def wait_state(self, state):
        return wait_until(lambda: self.gateway_clock() if self.gateway_clock()["state"] == state else None, f"the clock is '{state}'")

    def assert_time(self, moment, text=None):
        """What the gateway goes by is about this moment (seconds since 1970)."""
        text = text or self.gateway_clock()["time"]
        self.assertLess(abs(seconds(text) - moment), NEAR_S, text)

    def assert_reading_carries(self, sensor, moment):
        count = len(self.subscriber.messages())
        self.assertEqual(sensor.post("t", str(count)).code, "2.04")
        self.assert_time(moment, self.subscriber.wait_for(count + 1)[-1].time)

    def restart(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        self.wait_link("cloud")


class Wrong(ClockCase):
    def test_1970(self):
        """Without a clock of its own the box goes on from the last time it saw, until the clock is set."""
        sensor = self.psk_sensor("pump-1")
        valve = self.certificate_sensor("valve-2")
        self.clock.set(10)
        self.restart()
        self.gateway.lines.wait_line(r"the clock says 1970-01-01T00:00:\d\dZ, which is before .* using 20")
        self.assertEqual(self.gateway_clock()["state"], "behind")
        self.assert_time(time.time())
        self.assertIn("1970", str(self.gateway.status()["problems"]))
        self.assert_reading_carries(sensor, time.time())
        self.assert_reading_carries(valve, time.time())
        self.clock.right()
        self.wait_state("not synchronised")
        self.assertEqual(self.gateway.status()["problems"], [])
        self.assert_reading_carries(valve, time.time())

    def test_2099(self):
        """Years ahead and not synchronised: not believed, and not kept either."""
        valve = self.certificate_sensor("valve-2")
        self.clock.set("2099-05-04")
        self.gateway.lines.wait_line(r"the clock jumped from 20.* to 2099-|the clock says 2099-")
        self.assert_time(time.time())
        self.assert_reading_carries(valve, time.time())
        self.restart()
        self.wait_state("ahead")
        self.assert_time(time.time())
        self.assert_reading_carries(valve, time.time())
        self.clock.right(synchronised=True)
        self.wait_state("synchronised")
        self.assert_reading_carries(valve, time.time())

    def test_somebody_who_knows(self):
        self.clock.set("2045-05-04")
        self.wait_state("ahead")
        answer = self.gateway.ctl("clock", "accept")
        self.assert_time(seconds("2045-05-04"), answer["time"])
        self.clock.right()
        self.wait_state("jumped")
        self.gateway.ctl("clock", "accept")
        self.assert_time(time.time())


class Jumps(ClockCase):
    settings = {"clock": {"believe_after_s": 3}}

    def test_synchronised(self):
        sensor = self.psk_sensor("pump-1")
        moment = time.time() + 100 * DAY_S
        self.clock.set(moment, synchronised=True)
        self.gateway.lines.wait_line(r"the clock jumped from .* to .*, and is believed")
        self.wait_state("synchronised")
        self.assert_reading_carries(sensor, moment)

    def test_set_by_hand(self):
        """Not synchronised: doubted, and believed when it has held."""
        for moment in (time.time() + 100 * DAY_S, time.time()):
            seen = len(self.gateway.lines.all())
            self.clock.set(moment)
            self.gateway.lines.wait_line(r"the clock jumped from .* and is not synchronised", seen)
            self.gateway.lines.wait_line(r"the clock says .* and is believed now", seen)
            self.assert_time(moment)


class Kept(ClockCase):
    allowed = [r"the last time seen cannot be read"]

    def seen(self):
        return int(re.search(r"^seen (\d+)$", (self.gateway.state / "clock").read_text(), re.MULTILINE)[1])

    def test_at_a_clean_stop(self):
        self.assertEqual(self.gateway.stop(), 0)
        self.assertLess(abs(self.seen() - time.time()), NEAR_S)

    def test_damaged(self):
        file = self.gateway.state / "clock"
        for content in (b"", b"\xff" * 1000, b"tidegate clock 1\nsynchronised 4000000000\nseen 4000000000\nsum 00000000\n"):
            self.assertEqual(self.gateway.stop(), 0)
            file.write_bytes(content)
            seen = len(self.gateway.lines.all())
            self.gateway.start()
            self.gateway.lines.wait_line(r"the last time seen cannot be read .* \(damaged\)", seen)
            self.assert_time(time.time())
            self.wait_link("cloud")
        self.assertEqual(self.gateway.stop(), 0)
        self.assertLess(abs(self.seen() - time.time()), NEAR_S)


class Waits(ClockCase):
    """At the first start ever the build date is all there is: what is younger is not valid yet, and becomes so in a moment."""

    settings = {"clock": {"wait_for_sync": True, "sync_deadline_s": 5}}
    allowed = [*ClockCase.allowed, r"certificate is not yet valid"]

    def test_readings_are_taken_meanwhile_and_not_for_ever(self):
        sensor = self.psk_sensor("pump-1")
        self.restart()
        self.gateway.lines.wait_line(r"is not synchronised: using .*, for 5 s at most")
        self.assert_reading_carries(sensor, time.time())
        self.wait_state("not synchronised")
        self.assert_reading_carries(sensor, time.time())

    def test_synchronised(self):
        self.clock.right(synchronised=True)
        self.wait_state("synchronised")


if __name__ == "__main__":
    main()
