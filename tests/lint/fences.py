# SPDX-License-Identifier: Apache-2.0
"""The fences: who may include whom, and which file is the one door to a library."""
import posixpath
import re

import source
from source import Finding

# base <- wire <- core | endpoint | ctl, base <- format <- core | adapters, base <- confine <- endpoint | renew, which knows the crypto policy of wire; an adapter sees the installed contract, what adapters share, and its own folder.
MAY_INCLUDE = {
    "daemon/base/": ["daemon/base/", "include/tidegate/message.h"],
    "daemon/wire/": ["daemon/base/", "daemon/wire/", "include/tidegate/"],
    "daemon/format/": ["daemon/base/", "daemon/format/", "include/tidegate/message.h"],
    "daemon/core/": ["daemon/base/", "daemon/format/", "daemon/wire/", "daemon/core/", "include/tidegate/"],
    "daemon/confine/": ["daemon/base/", "daemon/confine/", "include/tidegate/"],
    "daemon/endpoint/": ["daemon/base/", "daemon/confine/", "daemon/wire/", "daemon/endpoint/", "include/tidegate/"],
    "daemon/renew/": ["daemon/base/", "daemon/wire/", "daemon/confine/", "daemon/renew/", "include/tidegate/"],
    "daemon/clock/": ["daemon/wire/", "daemon/clock/"],
    "daemon/ctl/": ["daemon/base/", "daemon/wire/", "daemon/ctl/", "include/tidegate/"],
    "plugins/": ["include/tidegate/", "plugins/common/", "daemon/format/"],
    "include/tidegate/": ["include/tidegate/"],
}

# A library's header, the files that may include it (a pattern each), and how many of them at most.
DOORS = [
    (r"libconfig\.h", r"daemon/core/\w+\.c", 1),
    (r"sqlite3\.h", r"daemon/core/\w+\.c", 1),
    (r"cbor\.h|cbor/.*", r"daemon/format/cbor_item\.c|plugins/dds/out_cbor\.c", 2),
    (r"systemd/.*", r"daemon/base/loop\.c", 1),
    (r"jansson\.h", r"daemon/(ctl|core|format)/\w+\.[ch]|daemon/wire/audit_line\.[ch]|daemon/endpoint/describe\.c|daemon/renew/(job|outcome)\.c|plugins/hypercat/text\.c|plugins/hypercat_client/catalogue\.c|plugins/dds/(encode\w*|sample)\.[ch]", None),
    (r"curl/.*", r"daemon/renew/est\w*\.c|plugins/hypercat_client/(fetch\w*|href)\.[ch]", None),
    (r"event2/.*", r"plugins/hypercat/(loop\.c|server\w*\.[ch])", None),
    (r"seccomp\.h|linux/(landlock|seccomp)\.h", r"daemon/confine/sandbox\w*\.[ch]", None),
    (r"linux/filter\.h", r"daemon/confine/sandbox\w*\.[ch]|plugins/coap/dtls_sort\.c", None),
    (r"coap3?/.*", r"plugins/coap/\w+\.[ch]|plugins/coap_client/(stack\w*|texts)\.[ch]", None),
    (r"dds/ddsi/.*", r"plugins/dds/bridge_\w+\.c", 2),
    (r"dds/.*", r"plugins/dds/\w+\.[ch]", None),
    (r"mosquitto\w*\.h", r"plugins/mqtt/\w+\.[ch]", None),
    (r"proton/.*", r"plugins/amqp/\w+\.[ch]", None),
    (r"openssl/.*", r"plugins/coap/dtls\w*\.[ch]|plugins/coap_client/(tls\w*|stack_ssl)\.[ch]|plugins/hypercat/(tls|server)\w*\.[ch]|plugins/hypercat_client/crypto\.c|plugins/dds/(out|encode_scalar|security)\.c|plugins/(amqp|common|mqtt)/\w+\.[ch]|daemon/core/(renewal_pair\.c|trust\w*\.[ch])|daemon/renew/\w+\.[ch]", None),
]

# The stages of a message in the core: core.c alone joins them. Everything else of the core is common ground.
STAGES = ["intake", "router", "outbox", "store", "devices", "supervisor", "control", "transform"]
# (who, what): each pair an exception with a reason.
STAGE_EXCEPTIONS = {
    "outbox": ["store"],  # the outbox's own tail lies there
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(tree, path):
    """Yields (line, quoted or not, what stands there, our file that it means or None)."""
    here = posixpath.dirname(path)
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if not match:
            continue
        name = match[2]
        places = [posixpath.normpath(f"{here}/{name}")] if match[1] == '"' else []
        places += [f"daemon/{name}", f"include/{name}", f"plugins/{name}"]
        ours = next((p for p in places if (tree.root / p).is_file()), None)
        yield number, match[1] == '"', name, ours


def allowed_for(path):
    folder = next(f for f in MAY_INCLUDE if path.startswith(f))
    own = [posixpath.dirname(path) + "/"] if folder == "plugins/" else []
    return MAY_INCLUDE[folder] + own


def check_fences(tree, path):
    for number, quoted, name, ours in includes(tree, path):
        if ours and not ours.startswith(tuple(allowed_for(path))):
            yield Finding(path, number, f"must not include {ours}")
        if quoted and not ours and name != "config.h":
            yield Finding(path, number, f'"{name}" is not a file of this tree: use <{name}>')


def stage_of(path):
    match = re.match(r"daemon/core/(\w+)\.[ch]$", path)
    return next((s for s in STAGES if match and re.match(rf"{s}(_|$)", match[1])), None)


def check_stages(tree, path):
    here = stage_of(path)
    for number, _, _, ours in includes(tree, path):
        there = stage_of(ours or "")
        if here and there and here != there and there not in STAGE_EXCEPTIONS.get(here, ()):
            yield Finding(path, number, f"the stage '{here}' must not know the stage '{there}'")


def check_doors(tree, paths):
    for header, door, most in DOORS:
        users = []
        for path in paths:
            for number, _, name, ours in includes(tree, path):
                if ours or not re.fullmatch(header, name):
                    continue
                users.append(path)
                if not re.fullmatch(door, path):
                    yield Finding(path, number, f"<{name}> stands behind another door: {door}")
        if most and len(set(users)) > most:
            yield Finding(users[-1], 1, f"the library of {header} has more than {most} door: {sorted(set(users))}")


def lint(tree):
    paths = list(tree.files(r"\.[ch]$", ["include", "daemon", "plugins"]))
    for path in paths:
        yield from check_fences(tree, path)
        yield from check_stages(tree, path)
    yield from check_doors(tree, paths)


if __name__ == "__main__":
    source.run(lint)
