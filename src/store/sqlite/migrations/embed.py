# SPDX-License-Identifier: Apache-2.0
"""Writes the numbered migrations into one C file.

usage: embed.py OUTPUT FILE…   files named 0001_what_it_does.sql, in order, without a gap
"""
import os
import re
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main(output, files):
    parts = ['#include "store/sqlite/migrate.h"\n', "const struct migration migrations[] = {"]
    for number, path in enumerate(files, start=1):
        name = os.path.basename(path)
        match = re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name)
        if match is None or int(match.group(1)) != number:
            sys.exit(f"{name}: expected the migration numbered {number:04d}")
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
        parts.append(f'    {{{number}, "{name[:-4]}",')
        parts += ["        " + literal(line) for line in lines]
        parts.append("    },")
    parts += ["};", f"const int migration_count = {len(files)};", ""]
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(parts))


main(sys.argv[1], sys.argv[2:])
