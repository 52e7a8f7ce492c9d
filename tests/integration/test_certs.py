# SPDX-License-Identifier: Apache-2.0
"""The watch over certificates: each change of state is told to log, status and cloud; what will break is known in advance."""
import json
import re
import time

from harness import DAY_S, FakeClock, GatewayCase, main, seconds, wait_until

WIDTH = 80


class CertsCase(GatewayCase):
    allowed = [r"the clock ", r"certificate is|trust is|device is|server is", r"broker .* cannot be used|broker .* is gone", r"link is down",
               r"handshake with .* failed"]

    def prepare(self):
        self.clock = FakeClock(self.folder, self.gateway)

    def certificate(self, endpoint, role, who=None):
        return next(c for c in self.gateway.ctl("certs")["certificates"]
                    if (c["endpoint"], c["role"]) == (endpoint, role) and who in (None, c["who"]))

    def wait_state(self, endpoint, role, state):
        return wait_until(lambda: self.certificate(endpoint, role)["state"] == state, f"{role} of {endpoint} is {state}")

    def notices(self):
        return [json.loads(m.payload) for m in self.subscriber.status_messages() if m.topic.endswith("/status/notices")]


class Watched(CertsCase):
    def test_every_one_in_use_is_there(self):
        valve = self.certificate_sensor("valve-2")
        self.assertEqual(valve.post("t", "1").code, "2.04")
        answer = wait_until(lambda: [c for c in self.gateway.ctl("certs")["certificates"] if c["role"] == "device"], "the device is seen")
        self.assertEqual(answer[0]["who"], "valve-2")
        found = {(c["endpoint"], c["role"], c["who"]) for c in self.gateway.ctl("certs")["certificates"]}
        wanted = {("field", "certificate", "gateway"), ("field", "trust", "devices-ca"), ("cloud", "certificate", "cloud"),
                  ("cloud", "trust", "cloud-ca"), ("field", "device", "valve-2")}
        self.assertLessEqual(wanted, found)
        self.assertEqual(self.gateway.status()["certificates"]["expired"], 0)

    def test_the_authority_for_devices(self):
        self.gateway.ctl("device", "add", "valve-3", "--certificate", "--out", self.folder / "valve-3.pem")
        found = self.certificate("", "authority")
        self.assertEqual((found["state"], found["authority"]), ("fine", True))

    def test_each_change_is_told(self):
        """Two days of life: renewed after two thirds, urgent in the last sixth, then over."""
        for hours, state in ((36, "renew"), (43, "urgent"), (49, "expired")):
            seen = len(self.gateway.lines.all())
            self.clock.set(time.time() + hours * 3600, synchronised=True)
            self.gateway.lines.wait_line(rf"cloud: certificate is {state}: .*CN=cloud", seen)
            self.wait_state("cloud", "certificate", state)
            self.assertGreaterEqual(self.gateway.status()["certificates"][state], 1)
            wait_until(lambda state=state: [n for n in self.notices() if n["state"] == state and n["what"] == "certificate"],
                       f"the notice of '{state}' came")
        self.assertIn("can no longer log in", str(self.gateway.status()["problems"]))
        seen = len(self.gateway.lines.all())
        self.gateway.ctl("clock", "accept")  # of a clock that ran ahead, only somebody who knows can take it back
        self.clock.right()
        wait_until(lambda: self.gateway.status()["clock"]["state"] == "behind", "the clock is not believed")
        self.gateway.ctl("clock", "accept")
        self.gateway.lines.wait_line(r"cloud: certificate is fine: ", seen)
        self.wait_link("cloud")

    def test_a_notice_is_no_retained_message(self):
        self.clock.set(time.time() + 36 * 3600, synchronised=True)
        wait_until(self.notices, "a notice came")
        message = next(m for m in self.subscriber.status_messages() if m.topic.endswith("/notices"))
        self.assertEqual((message.topic, message.qos, message.retain), ("plant-7/hall-3/status/notices", 1, False))
        notice = json.loads(message.payload)
        self.assertEqual((notice["notice"], notice["site"], notice["gateway"], notice["state"]),
                         ("certificate", "plant-7", "hall-3", "renew"))

    def test_a_new_file_is_seen(self):
        before = self.certificate("cloud", "certificate")["fingerprint"]
        self.pki.leaf("other", "cloud-ca")
        self.gateway.configure(self.configuration(cloud={"certificate": self.pki.certificate("other"), "key": self.pki.key("other")}))
        self.gateway.ctl("reload")
        after = self.certificate("cloud", "certificate")
        self.assertNotEqual(after["fingerprint"], before)
        self.assertEqual((after["who"], after["key"], after["bits"]), ("other", "EC", 256))


class InAdvance(CertsCase):
    def test_at(self):
        self.assertEqual(self.gateway.ctl("certs", "--at", "+1d")["broken"], [])
        code, out, _ = self.gateway.say("certs", "--at", "+1d")
        self.assertEqual(code, 0)
        self.assertIn("everything will still work", out)
        code, out, _ = self.gateway.say("certs", "--at", "+90d")
        self.assertEqual(code, 4, out)
        self.assertIn('endpoint "cloud" can no longer log in: certificate "CN=cloud" expired', out)
        self.assertIn('no longer lets in devices with certificates issued under "CN=devices-ca"', out)
        self.assertEqual(self.gateway.say("certs", "--at", "soon")[0], 1)
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * DAY_S))
        self.assertEqual(len(self.gateway.ctl("certs", "--at", day, good=(4,))["broken"]), 5)

    def test_check_at(self):
        for at, code, words in (("+1d", 0, "good"), ("+90d", 4, "can no longer log in"), ("soon", 64, "no date")):
            ended, said = self.gateway.check("--at", at)
            self.assertEqual(ended, code, said)
            self.assertIn(words, said)

    def test_time_line_fits(self):
        code, out, _ = self.gateway.say("certs")
        print(out)
        self.assertEqual(code, 0)
        lines = out.splitlines()
        self.assertLessEqual(max(map(len, lines)), WIDTH)
        self.assertNotIn("\033", out)
        self.assertEqual(len(lines), 6)
        until = [re.search(r"\d{4}-\d\d-\d\d", line)[0] for line in lines[1:]]
        self.assertEqual(until, sorted(until))
        self.assertLess(abs(seconds(self.gateway.ctl("certs")["now"]) - time.time()), 60)


if __name__ == "__main__":
    main()
