# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ for the tests of the amqp adapter: amqp_rabbit.py FOLDER, where ca.crt, server.crt and server.key are. Ends with its standard input."""
import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(os.environ["TG_SOURCE"]) / "tests" / "integration"))
from harness import rabbit  # noqa: E402

QUEUES = ["hall", "depot", ("safe", {"x-queue-type": "quorum"}), ("kept", {"x-queue-type": "quorum"}), ("again", {"x-queue-type": "quorum"}), "dead",
          ("letters", {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})]


def main():
    made = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="rabbit-", dir=made) as folder:
        for name, file in (("cloud-ca.crt", "ca.crt"), ("broker.crt", "server.crt"), ("broker.key", "server.key")):
            (Path(folder) / name).symlink_to(made / file)
        content = rabbit.definitions(QUEUES, [("readings", "topic")], [("readings", "hall", "#")], users=["client"])
        node = rabbit.Rabbit(folder, SimpleNamespace(folder=folder), content=content, certificates=False)
        try:
            node.start()
            print(json.dumps({"port": node.port, "plain": node.plain_port}), flush=True)
            for line in sys.stdin:
                if line.strip() == "kill":
                    node.kill()
                    print(json.dumps({"killed": True}), flush=True)
                elif line.strip() == "start":
                    node.start()
                    print(json.dumps({"started": True}), flush=True)
        finally:
            node.close()


if __name__ == "__main__":
    main()
