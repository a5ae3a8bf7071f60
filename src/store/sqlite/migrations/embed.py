# SPDX-License-Identifier: Apache-2.0
"""Writes the numbered migrations into one C file.

usage: embed.py OUTPUT NAME FILE…   NAME of the schema; files named 0001_what_it_does.sql, in order, without a gap
"""
import os
import re
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main(output, schema, files):
    parts = ['#include "store/sqlite/migrate.h"\n', "static const struct migration steps[] = {"]
    application_id = None
    for number, path in enumerate(files, start=1):
        name = os.path.basename(path)
        match = re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name)
        if match is None or int(match.group(1)) != number:
            sys.exit(f"{name}: expected the migration numbered {number:04d}")
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
        if number == 1:
            application_id = re.search(r"PRAGMA application_id = (0x[0-9a-f]+);", "\n".join(lines))[1]
        parts.append(f'    {{{number}, "{name[:-4]}",')
        parts += ["        " + literal(line) for line in lines]
        parts.append("    },")
    parts += ["};", f"const struct schema {schema} = {{steps, {len(files)}, {application_id}}};", ""]
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(parts))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
