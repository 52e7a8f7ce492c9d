# SPDX-License-Identifier: Apache-2.0
"""Notes that the core keeps for endpoints: what was told to be on disk is there again, over kill -9 of whatever at random moments."""
import os
import random
import signal
import time

from harness import GatewayCase, main, wait_until

ROUNDS = 8


class Numbers(GatewayCase):
    """The maker numbers its messages by what the core keeps for it, so that no number comes twice, whatever dies."""

    allowed = [r"maker", r"cloud"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def setUp(self):
        super().setUp()
        self.random = random.Random(time.time_ns())

    def begin(self, **more):
        settings = self.configuration()
        settings["endpoints"].append({"name": "maker", "adapter": "loopback", "generate": 1000000, "rate": 200,
                                      "reserve": 100, "window": 20, **more})
        settings["routes"].append({"name": "made", "from": "maker", "match": "/{path}", "to": "cloud",
                                   "address": "made/{path}"})
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.configure(settings)
        self.gateway.start()

    def made(self):
        """The number of each message, by the message's id: one that is delivered again is no new one."""
        return {m.id: int(m.payload.split()[0]) for m in self.subscriber.messages() if m.topic.startswith("made/")}

    def wait_for_more(self, more=30):
        count = len(self.made()) + more
        wait_until(lambda: len(self.made()) >= count, "more are made", 60)

    def assert_no_number_twice(self):
        numbers = list(self.made().values())
        self.assertEqual(len(numbers), len(set(numbers)), sorted(n for n in numbers if numbers.count(n) > 1)[:10])
        return numbers

    def kill_maker(self):
        pid = wait_until(lambda: self.gateway.pid("maker"), "the maker runs")
        os.kill(pid, signal.SIGKILL)
        return pid

    def finish(self):
        settings = self.configuration()
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        self.wait_drained()


class Kills(Numbers):
    def rounds(self, kill):
        self.begin()
        for _ in range(ROUNDS):
            self.wait_for_more()
            time.sleep(self.random.uniform(0, 0.3))  # the random moment
            kill()
        self.wait_for_more()
        self.finish()
        numbers = self.assert_no_number_twice()
        self.assertLess(max(numbers), len(numbers) + 101 * (3 * ROUNDS + 3), "what is left out are the reserved ones")

    def test_of_the_endpoint(self):
        def kill():
            pid = self.kill_maker()
            wait_until(lambda: self.gateway.pid("maker") not in (None, pid), "it runs again")
        self.rounds(kill)

    def test_of_the_core(self):
        def kill():
            self.gateway.kill()
            self.gateway.start()
        self.rounds(kill)

    def test_of_both(self):
        def kill():
            pid = wait_until(lambda: self.gateway.pid("maker"), "the maker runs")
            self.gateway.kill()
            os.kill(pid, signal.SIGKILL)
            self.gateway.start()
        self.rounds(kill)


class Files(Numbers):
    allowed = Numbers.allowed + [r"notes \"", r"notes that were kept"]

    def test_a_reload_and_a_restart_go_on(self):
        self.begin()
        self.wait_for_more()
        self.gateway.ctl("reload")
        self.wait_for_more()
        self.assertEqual(self.gateway.stop(), 0)
        self.gateway.start()
        self.wait_for_more()
        self.finish()
        self.assert_no_number_twice()

    def test_an_endpoint_that_was_away_goes_on_where_it_was(self):
        self.begin()
        self.wait_for_more()
        self.finish()
        most = max(self.made().values())
        self.begin()
        self.wait_for_more()
        self.finish()
        self.assert_no_number_twice()
        self.assertGreater(max(self.made().values()), most)

    def test_a_damaged_file_is_set_aside_and_the_gateway_starts(self):
        self.begin()
        self.wait_for_more()
        self.assertEqual(self.gateway.stop(), 0)
        (self.gateway.state / "notes.db").write_bytes(b"this is no database" * 100)
        self.gateway.start()
        self.wait_for_more()
        self.assertEqual(len(list(self.gateway.state.glob("notes.db.corrupt-*"))), 1)
        self.finish()
        log = "\n".join(self.gateway.lines.all())
        self.assertIn("are damaged; they are set aside as", log)
        self.assertIn("the notes that were kept for endpoints are lost", log)


if __name__ == "__main__":
    main()
