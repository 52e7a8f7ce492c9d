# SPDX-License-Identifier: Apache-2.0
"""A configuration on trial: in force at once, and gone by itself unless somebody confirms it."""
import os
import signal
import socket
import unittest
from pathlib import Path

from harness import GatewayCase, Sensor, main
from harness.gateway import Groups, write_value
from harness.process import free_port, wait_until

BROKEN = 'gateway: { nam = "hall-3"; };\n'
ON_TRIAL = r"the configuration that was on trial was not confirmed"


class Apply(GatewayCase):
    allowed = [r"tidegate\.conf", r"configuration"]

    def setUp(self):
        super().setUp()
        self.before = self.gateway.file.read_text(encoding="utf-8")
        self.sensor = self.psk_sensor("pump-1")

    def write(self, address, name="next.conf"):
        """A configuration whose readings get another address."""
        settings = self.configuration(routes=Groups([
            {"name": "telemetry", "from": "field", "match": "/{path}", "to": "cloud", "address": address}]))
        path = self.folder / name
        path.write_text("".join(f"{key} = {write_value(value)};\n" for key, value in settings.items()), encoding="utf-8")
        return path

    def config(self, *words, good=(0,)):
        return self.gateway.ctl("config", *words, "--config", self.gateway.file, good=good)

    def topic_of_next(self):
        count = len(self.subscriber.messages())
        self.assertEqual(self.sensor.post("t", str(count)).code, "2.04")
        return self.subscriber.wait_for(count + 1)[-1].topic

    def trial(self):
        return self.gateway.status()["trial"]

    def wait_over(self):
        wait_until(lambda: self.trial()["state"] == "over", "the trial is over")

    def assert_before(self):
        self.assertEqual(self.topic_of_next(), "plant-7/hall-3/pump-1/t")
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), self.before)

    def test_confirmed_it_stays(self):
        path = self.write("new/{device}/{path}")
        answer = self.config("apply", path, "--confirm", "600")
        self.assertIn("telemetry", str(answer["applied"]))
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")
        self.assertEqual(self.trial()["state"], "pending")
        self.assertGreater(self.trial()["left_s"], 500)
        self.assertIn("on trial", str(self.gateway.status()["problems"]))
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), self.before)
        self.config("confirm")
        self.assertEqual(self.trial()["state"], "none")
        self.assertEqual(self.gateway.status()["problems"], [])
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), path.read_text(encoding="utf-8"))
        self.assertEqual((self.gateway.folder / "previous/tidegate.conf").read_text(encoding="utf-8"), self.before)
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")

    def test_unconfirmed_it_goes_by_itself(self):
        pids = [self.gateway.pid(name) for name in ("field", "cloud")]
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "4")
        self.gateway.lines.wait_line(ON_TRIAL)
        self.assert_before()
        self.assertIn("was not confirmed", str(self.gateway.status()["problems"]))
        self.config("confirm", good=(1,))
        self.config("revert")
        self.assertEqual(self.gateway.status()["problems"], [])
        self.assertFalse((self.gateway.folder / "trial").exists())
        self.assertEqual([self.gateway.pid(name) for name in ("field", "cloud")], pids)

    def test_revert_at_once(self):
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "600")
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")
        self.config("revert")
        self.assert_before()
        self.config("revert", good=(1,))

    def test_with_errors_it_is_not_even_tried(self):
        path = self.folder / "broken.conf"
        path.write_text(BROKEN, encoding="utf-8")
        code, _, said = self.gateway.say("config", "apply", path, "--config", self.gateway.file)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"tidegate\.conf:1: .*nam")
        self.assertEqual(self.trial()["state"], "none")
        self.assertFalse((self.gateway.folder / "trial").exists())
        self.assert_before()

    def test_what_only_a_start_brings_goes_back_too(self):
        """A process that began by what was on trial begins anew; one that never did stays."""
        self.allowed = [*self.allowed, r"field: process"]
        tried = free_port(socket.SOCK_DGRAM)
        path = self.folder / "next.conf"
        path.write_text(self.before.replace(f":{self.coap_port}", f":{tried}"), encoding="utf-8")
        pid = self.gateway.pid("field")
        self.config("apply", path, "--confirm", "600")
        self.config("revert")
        self.assert_before()
        self.assertEqual(self.gateway.pid("field"), pid)
        self.config("apply", path, "--confirm", "20")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gateway.pid("field") not in (None, pid) and self.gateway.endpoint("field")["link"] == "up",
                   "it is there again")
        self.assertEqual(Sensor("pump-1", tried, key=self.sensor.key).post("t", "tried").code, "2.04")
        self.wait_over()
        wait_until(lambda: self.sensor.post("t", "back").code == "2.04", "it listens where it did before")
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), self.before)

    def test_one_at_a_time(self):
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "600")
        code, _, said = self.gateway.say("config", "apply", self.write("third/{device}/{path}"), "--config", self.gateway.file)
        self.assertEqual(code, 1)
        self.assertIn("another configuration is on trial", said)
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")
        self.config("revert")

    def test_a_killed_core_goes_on_with_it_and_back_in_time(self):
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "60")
        self.gateway.kill()
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")
        self.gateway.kill()
        self.shorten_to(0)
        self.gateway.start()
        self.gateway.lines.wait_line(ON_TRIAL)
        self.wait_link("cloud")
        self.assert_before()

    def shorten_to(self, until_us):
        note = self.gateway.folder / "trial/until"
        lines = note.read_text(encoding="ascii").splitlines()
        note.write_text("\n".join([*lines[:-1], f"until_us {until_us}", ""]), encoding="ascii")

    def test_another_start_of_the_machine_ends_it(self):
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "600")
        note = self.gateway.folder / "trial/until"
        lines = note.read_text(encoding="ascii").splitlines()
        note.write_text("\n".join([lines[0], "boot 00000000-0000-0000-0000-000000000000", lines[2], ""]), encoding="ascii")
        self.gateway.kill()
        self.gateway.start()
        self.gateway.lines.wait_line(ON_TRIAL)
        self.wait_link("cloud")
        self.assert_before()
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "600")
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")

    def test_a_start_with_a_trial_that_broke_takes_the_one_before(self):
        self.config("apply", self.write("new/{device}/{path}"), "--confirm", "600")
        (self.gateway.folder / "trial/tidegate.conf").write_text(BROKEN, encoding="utf-8")
        self.gateway.kill()
        code, said = self.gateway.check()
        self.assertEqual(code, 0, said)
        self.assertIn("on trial has errors", said)
        self.gateway.start()
        self.wait_link("cloud")
        self.assert_before()
        self.assertIn("had errors at the start", str(self.gateway.status()["problems"]))
        code, _, said = self.gateway.say("config", "confirm", "--config", self.gateway.file)
        self.assertEqual(code, 1)
        self.assertIn("does not run by the configuration on trial", said)

    def test_a_move_that_was_cut_short_is_finished(self):
        path = self.write("new/{device}/{path}")
        self.config("apply", path, "--confirm", "600")
        note = self.gateway.folder / "trial/until"
        note.write_text(note.read_text(encoding="ascii").splitlines()[0] + "\nconfirmed\n", encoding="ascii")
        self.gateway.kill()
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.topic_of_next(), "new/pump-1/t")
        self.assertEqual(self.trial()["state"], "confirmed")
        self.config("revert", good=(1,))
        self.assertEqual(self.gateway.file.read_text(encoding="utf-8"), path.read_text(encoding="utf-8"))
        self.assertFalse((self.gateway.folder / "trial").exists())

    def test_a_file_beside_the_main_one(self):
        more = self.folder / "more.conf"
        more.write_text('routes = ( { name = "second"; from = "field"; match = "/x/{path}"; to = "cloud"; address = "x"; } );\n',
                        encoding="utf-8")
        self.config("apply", more, "--as", "conf.d/50-more.conf", "--confirm", "600")
        self.assertEqual(self.topic_of_next(), "plant-7/hall-3/pump-1/t")
        self.assertIn("second", self.gateway.ctl("config")["text"])
        self.config("confirm")
        self.assertEqual((self.gateway.folder / "conf.d/50-more.conf").read_text(encoding="utf-8"), more.read_text(encoding="utf-8"))
        self.assertIn("second", self.gateway.ctl("config")["text"])
        more.write_text("", encoding="utf-8")
        self.config("apply", more, "--as", "conf.d/50-more.conf", "--confirm", "12")
        self.assertNotIn("second", self.gateway.ctl("config")["text"])
        self.wait_over()
        self.assertIn("second", self.gateway.ctl("config")["text"])
        for name in ("../x.conf", "conf.d/../x.conf", "conf.d/x", "conf.d/.x.conf", "x.conf"):
            code, _, _ = self.gateway.say("config", "apply", more, "--as", name, "--config", self.gateway.file)
            self.assertEqual(code, 2, name)

    def test_of_another_gateway(self):
        other = self.folder / "other"
        other.mkdir()
        (other / "tidegate.conf").write_text(self.before, encoding="utf-8")
        code, _, said = self.gateway.say("config", "apply", self.gateway.file, "--config", other / "tidegate.conf")
        self.assertEqual(code, 1)
        self.assertIn("say so with --config", said)
        self.assertEqual([path.name for path in other.iterdir()], ["tidegate.conf"])


@unittest.skipUnless(os.geteuid() == 0, "only root mounts another /proc")
class ApplyInService(Apply):
    """All of it where the gateway sees no more of /proc than processes, as its unit has it."""

    allowed = [*Apply.allowed, "no configuration can be on trial"]

    def prepare(self):
        self.gateway.wrapper = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh"]
        self.gateway.environment = {"TIDEGATE_BOOT": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").replace("-", "").strip()}

    def test_untold_it_is_not_even_tried(self):
        """Nobody says which start of the machine it is."""
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.environment = {}
        self.gateway.start()
        self.wait_link("cloud")
        code, _, said = self.gateway.say("config", "apply", self.write("new/{device}/{path}"), "--config", self.gateway.file)
        self.assertEqual(code, 1)
        self.assertIn("does not run by the configuration on trial", said)
        self.assertFalse((self.gateway.folder / "trial").exists())
        self.config("confirm", good=(1,))
        self.assert_before()


if __name__ == "__main__":
    main()
