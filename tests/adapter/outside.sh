#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds an adapter outside of the tree with nothing but the installed header and pkg-config, and has it described.
set -euo pipefail
source_dir=${TG_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build_dir=${TG_BUILD:-$PWD}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

make -s -C "$build_dir" install-pkgincludeHEADERS install-pkgconfigDATA DESTDIR="$folder/root" >"$folder/log" 2>&1 ||
	{ cat "$folder/log"; exit 1; }
pc=$(find "$folder/root" -name tidegate.pc)
export PKG_CONFIG_SYSROOT_DIR=$folder/root PKG_CONFIG_LIBDIR=${pc%/*} PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
cp "$source_dir/tests/adapter/outside.c" "$folder/outside.c"
cd "$folder"

build() { # output, further flags
	# shellcheck disable=SC2046 # flags are words
	${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror $(pkg-config --cflags tidegate) -fPIC -shared "${@:2}" \
		-o "$1" outside.c
}

fails_with() { # text, command
	local said
	if said=$("${@:2}" 2>&1 >/dev/null); then
		echo "worked, but should not: ${*:2}"
		exit 1
	fi
	[[ $said == *"$1"* && $said != *$'\n'* ]] || { echo "said '$said', which is not one line about '$1'"; exit 1; }
}

endpoint=$build_dir/tidegate-endpoint
build outside.so
"$endpoint" --describe outside --adapters "$folder" >described
python3 - described <<'EOF'
import json, sys
d = json.load(open(sys.argv[1]))
assert (d["name"], d["version"], d["major"], d["roles"], d["needs"]) == ("outside", "0.1", 1, ["sink"], []), d
assert [(s["name"], s["fallback"], s["flags"]) for s in d["settings"]] == [
    ("greeting", "hello", {"live": True, "required": False, "absent": False})], d
EOF
[[ $(pkg-config --variable=adapterdir tidegate) == */tidegate/adapters ]]

cp outside.so other.so
fails_with "calls itself 'outside'" "$endpoint" --describe other --adapters "$folder"
build outside.so -DMAJOR=99
fails_with "made for contract 99.0" "$endpoint" --describe outside --adapters "$folder"
build outside.so -Dtidegate_adapter=something_else
fails_with "no symbol 'tidegate_adapter'" "$endpoint" --describe outside --adapters "$folder"
fails_with "is no name of an adapter" "$endpoint" --describe ../outside --adapters "$folder"
fails_with "cannot be loaded" "$endpoint" --describe absent --adapters "$folder"
echo "an adapter was built with the installed header alone, and described"
