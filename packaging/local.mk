# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += packaging/packages README.md SECURITY.md
dist_man_MANS += packaging/man/tidegated.8 packaging/man/tidegatectl.1
