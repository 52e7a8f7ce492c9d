# SPDX-License-Identifier: Apache-2.0
"""Proves that each lint can fail: every rule is fed a small tree that breaks it, and one that does not."""
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import fences
import headers
import layout
import manuals
import source
import style
import words

LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
MANUAL = '.\\" SPDX-License-Identifier: Apache-2.0\n.Dd May 1, 2026\n.Dt X 8\n.Os\n'


class LintCase(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tidegate-lint-"))
        self.addCleanup(shutil.rmtree, self.root)

    def findings(self, lint, files):
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding="utf-8")
        return list(lint(source.Tree(self.root)))

    def assert_bad(self, lint, files, text):
        found = self.findings(lint, files)
        self.assertTrue(any(text in f.text for f in found), f"nothing like '{text}' in {found}")

    def assert_good(self, lint, files):
        self.assertEqual(self.findings(lint, files), [])


class Fences(LintCase):
    def assert_include_is_bad(self, path, include, text, target=None):
        files = {path: f"{LICENCE}#include {include}\n"}
        self.assert_bad(fences.lint, files | ({target: LICENCE} if target else {}), text)

    def test_base_knows_nobody(self):
        self.assert_include_is_bad("daemon/base/a.c", '"wire/frame.h"', "must not include", "daemon/wire/frame.h")

    def test_wire_does_not_know_the_core(self):
        self.assert_include_is_bad("daemon/wire/a.h", '"core/core.h"', "must not include", "daemon/core/core.h")

    def test_endpoint_does_not_know_the_core(self):
        self.assert_include_is_bad("daemon/endpoint/a.c", "<core/core.h>", "must not include", "daemon/core/core.h")

    def test_adapter_sees_the_contract_only(self):
        self.assert_include_is_bad("plugins/coap/a.c", '"base/log.h"', "must not include", "daemon/base/log.h")
        self.assert_include_is_bad("plugins/coap/a.c", '"../mqtt/m.h"', "must not include", "plugins/mqtt/m.h")

    def test_quotes_are_for_our_own(self):
        self.assert_include_is_bad("daemon/core/a.c", '"jansson.h"', "is not a file of this tree")

    def test_stage_does_not_know_its_neighbour(self):
        self.assert_include_is_bad("daemon/core/intake.c", '"core/router.h"', "'router'", "daemon/core/router.h")
        self.assert_include_is_bad("daemon/core/outbox_head.h", '"devices.h"', "'devices'", "daemon/core/devices.h")

    def test_doors(self):
        for path, include in [
            ("daemon/core/a.c", "<systemd/sd-event.h>"),
            ("daemon/core/a.c", "<openssl/ssl.h>"),
            ("plugins/coap/message.c", "<openssl/ssl.h>"),
            ("daemon/core/a.c", "<coap3/coap.h>"),
            ("daemon/endpoint/main.c", "<seccomp.h>"),
            ("daemon/ctl/a.c", "<sqlite3.h>"),
            ("plugins/coap/a.c", "<mosquitto.h>"),
        ]:
            self.assert_include_is_bad(path, include, "another door")

    def test_one_door_is_not_two(self):
        files = {f"daemon/core/{name}.c": f"{LICENCE}#include <libconfig.h>\n" for name in ("a", "b")}
        self.assert_bad(fences.lint, files, "more than 1 door")

    def test_good(self):
        self.assert_good(
            fences.lint,
            {
                "include/tidegate/message.h": LICENCE,
                "daemon/base/log.h": LICENCE,
                "daemon/core/core.c": '#include "core/intake.h"\n#include "core/router.h"\n#include "config.h"\n',
                "daemon/core/intake.h": "#include <tidegate/message.h>\n",
                "daemon/core/intake.c": '#include "core/intake.h"\n#include "base/log.h"\n#include "core/message.h"\n',
                "daemon/core/message.h": LICENCE,
                "daemon/core/router.h": LICENCE,
                "plugins/coap/dtls.c": '#include "dtls.h"\n#include <openssl/ssl.h>\n#include <tidegate/message.h>\n',
                "plugins/coap/dtls.h": LICENCE,
            },
        )


class Style(LintCase):
    def test_licence(self):
        self.assert_bad(style.lint, {"daemon/a.c": "int a;\n"}, "does not begin with")
        self.assert_bad(style.lint, {"bootstrap": "#!/bin/sh\necho\n"}, "does not begin with")

    def test_long_file(self):
        self.assert_bad(style.lint, {"daemon/a.c": LICENCE + "int a;\n" * style.FILE_LINES}, "lines are more than")

    def test_long_function(self):
        body = "\ta++;\n" * (style.FUNCTION_LINES + 1)
        self.assert_bad(style.lint, {"tests/a.c": f"{LICENCE}static void f(void)\n{{\n{body}}}\n"}, "a function of 61 lines")

    def test_banned(self):
        for code in ["strcpy(a, b);", "x = atoi (s);", "sprintf(a, f);", "strtok(a, b);", "p = alloca(n);"]:
            self.assert_bad(style.lint, {"daemon/a.c": f"{LICENCE}{code}\n"}, "is not used here")
        self.assert_bad(style.lint, {"plugins/a.h": f"{LICENCE}typedef struct x x;\n"}, "'typedef struct'")

    def test_good(self):
        body = "\ta++;\n" * style.FUNCTION_LINES
        text = f'{LICENCE}/* strcpy(a) */\nvoid f(void)\n{{\n{body}}}\nputs("atoi(x)"); snprintf(a); // sprintf(a)\n'
        self.assert_good(style.lint, {"daemon/a.c": text, "README.md": "# a\n", "bootstrap": f"#!/bin/sh\n# {style.SPDX}\n"})


class Headers(LintCase):
    def test_bad(self):
        self.assert_bad(headers.lint, {"daemon/a.h": "size_t f(void);\n"}, "does not compile alone")
        self.assert_bad(headers.lint, {"daemon/b.h": "struct twice { int a; };\n"}, "does not compile alone")
        self.assert_bad(headers.lint, {"include/c.h": "#ifndef C\n#define C\nstatic inline int f(void)\n{\n\treturn ({ 1; });\n}\n#endif\n"}, "as c11")

    def test_good(self):
        self.assert_good(headers.lint, {"daemon/a.h": "#ifndef A\n#define A\n#include <stddef.h>\nsize_t f(void);\n#endif\n"})


class Layout(LintCase):
    def setUp(self):
        super().setUp()
        if not layout.find_tool():
            self.skipTest("no clang-format of the right version")
        shutil.copy(Path(__file__).parents[2] / ".clang-format", self.root)

    def test_bad(self):
        self.assert_bad(layout.lint, {"daemon/a.c": "int main(void) {\n  return 0; }\n"}, "would change")

    def test_good(self):
        self.assert_good(layout.lint, {"daemon/a.c": "int main(void)\n{\n\treturn 0;\n}\n"})


class Words(LintCase):
    def test_bad(self):
        for text in ["cp /hom" "e/somebody/x .", "see /wor" "k/tree", "https://registry.npm" "js.org/x"]:
            self.assert_bad(words.lint, {"tests/a.py": text}, "does not belong")

    def test_good(self):
        self.assert_good(words.lint, {"README.md": "the gateway's framework/library, ./home, /var/lib/tidegate/work/x"})


class Manuals(LintCase):
    def setUp(self):
        super().setUp()
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")

    def test_bad(self):
        self.assert_bad(manuals.lint, {"packaging/man/x.8": MANUAL + ".Sh NAME\n.Nm x\n.Nosuch y\n"}, "unknown")

    def test_good(self):
        self.assert_good(manuals.lint, {"packaging/man/x.8": MANUAL + ".Sh NAME\n.Nm x\n.Nd does it\n"})


class Programs(unittest.TestCase):
    def test_nothing_looked_at_is_a_failure(self):
        with tempfile.TemporaryDirectory() as root:
            command = ["python3", "-B", str(Path(__file__).with_name("style.py"))]
            result = subprocess.run(command, env={"TG_SOURCE": root, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False)
            self.assertEqual(result.returncode, 1, result.stdout)


if __name__ == "__main__":
    unittest.main()
