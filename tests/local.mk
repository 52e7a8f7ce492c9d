# SPDX-License-Identifier: Apache-2.0
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = python3
AM_PY_LOG_FLAGS = -B
AM_TESTS_ENVIRONMENT = \
	TG_SOURCE='$(abs_top_srcdir)' TG_BUILD='$(abs_top_builddir)' CC='$(CC)'; export TG_SOURCE TG_BUILD CC;
include tests/bench/local.mk

LINT_TESTS += \
	tests/lint/fences.py tests/lint/headers.py tests/lint/layout.py tests/lint/style.py tests/lint/words.py \
	tests/lint/test_lints.py
EXTRA_DIST += $(LINT_TESTS) tests/lint/source.py
