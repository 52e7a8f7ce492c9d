# SPDX-License-Identifier: Apache-2.0
"""Store and registry of other versions: an older registry is brought up with a copy kept; one that the next version has made is used
where that allows it, with nothing lost, and refused untouched where it does not."""
import hashlib
import sqlite3

from harness import GatewayCase, main

# What a next version could do without locking this one out: it says 2, and that 1 will do.
NEXT = """
ALTER TABLE outbox ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';
CREATE TABLE later (x INTEGER);
INSERT INTO numbers VALUES ('cloud', 99, 5);
PRAGMA user_version = 65538;
"""
NEXT_DEVICES = """
ALTER TABLE device ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';
CREATE TABLE later (x INTEGER);
PRAGMA user_version = 65538;
"""
TOO_NEW = "PRAGMA user_version = 131074;"
COLUMNS_OF_OLD = "name, endpoint, proof, key, revoked, created, changed, generation"


class Versions(GatewayCase):
    allowed = [r"outbox|store|mirror", "\"cloud\"", "broker", "registry of devices"]

    def hold(self, count):
        """Readings that wait on disk, the gateway being stopped."""
        self.sensor = self.psk_sensor("pump-1")
        self.broker.stop()
        texts = [f"held-{number}" for number in range(count)]
        for text in texts:
            self.assertEqual(self.sensor.post("t", text).code, "2.04")
        self.assertEqual(self.gateway.stop(), 0)
        return texts

    def change(self, name, sql):
        with sqlite3.connect(self.gateway.state / name) as database:
            database.executescript(sql)
        database.close()

    def ask(self, name, sql):
        database = sqlite3.connect(self.gateway.state / name)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    def assert_all_arrive(self, texts):
        self.broker.start()
        self.wait_link("cloud")
        self.subscriber.wait_for(len(texts))
        self.assertEqual([message.payload for message in self.subscriber.messages()], texts)
        self.wait_drained()
        self.assert_balanced()

    def test_of_the_next_version_is_used(self):
        """A way back from an upgrade: what the newer version had accepted is delivered by this one, and it goes on."""
        texts = self.hold(5)
        for name in ("outbox.db", "outbox-mirror.db"):
            if (self.gateway.state / name).exists():
                self.change(name, NEXT)
        for name in ("devices.db", "devices-mirror.db"):
            self.change(name, NEXT_DEVICES)
        self.gateway.start()
        self.assertEqual(self.sensor.post("t", "more").code, "2.04")
        self.psk_sensor("pump-2")
        self.assert_all_arrive([*texts, "more"])
        self.assertEqual(self.gateway.stop(), 0)
        self.assertEqual(self.ask("outbox.db", "PRAGMA user_version"), [(65538,)])
        self.assertEqual(self.ask("outbox.db", "SELECT value FROM numbers WHERE item = 99"), [(5,)])
        self.assertEqual(self.ask("devices.db", "SELECT name, colour FROM device"), [("pump-1", "blue"), ("pump-2", "blue")])

    def sums(self):
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.gateway.state.glob("*.db")}

    def test_too_new_is_refused_and_left_alone(self):
        texts = self.hold(3)
        for name in ("outbox.db", "devices.db"):
            before = self.ask(name, "PRAGMA user_version")[0][0]
            self.change(name, TOO_NEW)
            sums = self.sums()
            self.gateway.begin()
            self.assertEqual(self.gateway.process.wait(), 1)
            self.gateway.lines.wait_line("a newer version of tidegate made it")
            self.assertEqual(self.sums(), sums)
            self.assertEqual(list(self.gateway.state.glob("*corrupt*")), [])
            self.change(name, f"PRAGMA user_version = {before};")
        self.gateway.start()
        self.assert_all_arrive(texts)

    def test_of_an_older_version_is_brought_up_with_a_copy_kept(self):
        self.sensor = self.psk_sensor("pump-1")
        self.assertEqual(self.gateway.stop(), 0)
        for name in ("devices.db", "devices-mirror.db"):
            self.change(name, f"""
                CREATE TABLE old (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, proof INTEGER NOT NULL, key BLOB,
                    revoked INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL,
                    generation INTEGER NOT NULL) WITHOUT ROWID;
                INSERT INTO old ({COLUMNS_OF_OLD}) SELECT {COLUMNS_OF_OLD} FROM device;
                DROP TABLE device; ALTER TABLE old RENAME TO device; PRAGMA user_version = 0;""")
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.sensor.post("t", "still known").code, "2.04")
        self.assertEqual(self.gateway.stop(), 0)
        self.assertEqual(self.ask("devices.db", "PRAGMA user_version"), [(1,)])
        kept = self.gateway.state / "devices.db.before"
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.ask(kept.name, "PRAGMA user_version"), [(0,)])
        self.assertEqual(self.ask(kept.name, "SELECT name FROM device"), [("pump-1",)])
        self.assertEqual(len(self.ask(kept.name, "SELECT * FROM pragma_table_info('device')")), 8)


if __name__ == "__main__":
    main()
