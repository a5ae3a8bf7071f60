# SPDX-License-Identifier: Apache-2.0
"""Reads include/nango/*.h: what is public, and the comments that describe it.

The headers keep to a form that needs no C parser: a declaration stands alone, the comment before
it (without an empty line between) is its description, declarations that follow each other without
an empty line share one, and a function's `_start` form shares that of the function. A member's
comment stands before it or behind it.
"""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The order in which a reader meets them; what is not here comes after.
ORDER = ["client", "connections", "integrations", "connect", "proxy", "records", "syncs",
         "actions", "webhooks", "response", "json", "async"]


class Function:
    def __init__(self, name, result, parameters, header):
        self.name, self.result, self.parameters, self.header = name, result, parameters, header
        self.own = []  # the comment before this very function
        self.group = None

    def parameter_names(self):
        return [re.search(r"(\w+)(\[\w*\])?$", p)[1] for p in self.parameters if re.search(r"\w$|\]$", p)]


class Group:
    """The functions that one comment describes."""

    def __init__(self, header, comment):
        self.header, self.comment, self.functions = header, comment, []


class Type:
    """kind: struct, enum, callback, opaque. members: (before, declaration, after)."""

    def __init__(self, kind, name, header, comment, members=(), function=None):
        self.kind, self.name, self.header, self.comment = kind, name, header, comment
        self.members, self.function = members, function


class Macro:
    def __init__(self, name, value, header, comment, after):
        self.name, self.value, self.header = name, value, header
        self.comment, self.after = comment, after


class Header:
    def __init__(self, path, include):
        self.path, self.include, self.comment = path, include, []
        self.groups, self.types, self.macros, self.faults = [], [], [], []


def clean(comment):
    """The lines of a comment without its stars."""
    text = comment[2:-2]
    lines = text.split("\n")
    out = [lines[0].strip()]
    for line in lines[1:]:
        star = re.match(r"\s*\* ?(.*)$", line)
        out.append(star[1].rstrip() if star else line.strip())
    while out and not out[-1]:
        out.pop()
    while out and not out[0]:
        out.pop(0)
    return out


TOKEN = re.compile(r"/\*.*?\*/|\n|#(?:\\\n|/\*.*?\*/|[^\n/]|/(?!\*))*|\"(?:\\.|[^\"\\])*\"|[{};,()]|[^\s{};,()/\"]+|/|[ \t]+",
                   re.S)


def squeeze(text):
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\( ", "(", text)
    text = re.sub(r" ([,;)])", r"\1", text)
    return re.sub(r"\* (?=\w)(?!const\b)", "*", text)


def split_commas(text):
    depth, part, parts = 0, "", []
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    if part.strip():
        parts.append(part.strip())
    return parts


def members(body, end):
    """The members of a struct (end `;`) or of an enum (end `,`)."""
    found, before, words, depth = [], [], "", 0
    lines_since = None  # whether a line ended since the last member
    for match in TOKEN.finditer(body):
        token = match[0]
        if token.startswith("/*"):
            if words.strip():
                found.append([before, squeeze(words), clean(token)])  # the last one of an enum
                before, words = [], ""
            elif found and lines_since is False and not found[-1][2]:
                found[-1][2] = clean(token)
            else:
                before = before + ([""] if before else []) + clean(token)
        elif token == "\n":
            lines_since = True if lines_since is not None else None
            words += " "
        elif token == end and depth == 0:
            if words.strip():
                found.append([before, squeeze(words), []])
            before, words, lines_since = [], "", False
        else:
            depth += (token == "(") - (token == ")")
            words += token
    if words.strip():
        found.append([before, squeeze(words), []])
    return found


def read_header(path, include_root):
    include = str(path.relative_to(include_root))
    header = Header(path, include)
    text = path.read_text()
    comment = None   # the comment that waits for a declaration
    last_group = None  # the group that the next declaration joins unless a line is empty
    empty = 0
    seen = []
    declaration, depth = "", 0
    last_plain = None  # what a comment on the same line belongs to

    def fault(message):
        header.faults.append(f"{include}: {message}")

    def take(declaration, comment):
        nonlocal last_group
        declaration = squeeze(declaration)
        lines = comment or []
        if re.match(r"(NANGO_API|static inline)\b", declaration):
            match = re.match(r"(?:NANGO_API|static inline) (.*?)(\w+)\((.*)\)$", declaration, re.S)
            if not match:
                fault(f"not understood: {declaration[:60]}")
                return None
            parameters = split_commas(match[3])
            function = Function(match[2], match[1].strip(), parameters, header)
            function.own = lines
            if lines or last_group is None:
                last_group = Group(header, lines)
                header.groups.append(last_group)
            last_group.functions.append(function)
            function.group = last_group
            return function
        last_group = None
        match = re.match(r"typedef (struct|enum)(?: \w+)? \{(.*)\} (\w+)$", declaration, re.S)
        if match:
            return None  # taken with its comments by the caller
        match = re.match(r"typedef struct (\w+) (\w+)$", declaration)
        if match:
            made = Type("opaque", match[2], header, lines)
            header.types.append(made)
            return made
        match = re.match(r"typedef (.*?)(\w+)\((.*)\)$", declaration, re.S)
        if match:
            made = Type("callback", match[2], header, lines,
                        function=Function(match[2], match[1].strip(), split_commas(match[3]), header))
            header.types.append(made)
            return made
        if declaration and not re.match(r'extern "C"', declaration):
            fault(f"not understood: {declaration[:60]}")
        return None

    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            fault(f"not understood at offset {position}")
            break
        token = match[0]
        position = match.end()
        if token == "\n":
            empty += 1
            last_plain = None if not declaration.strip() else last_plain
            if empty >= 2 and not declaration.strip():
                comment, last_group = None, None
            declaration += " " if declaration else ""
            continue
        if not token.strip():
            declaration += token if declaration else ""
            continue
        empty = 0
        if token.startswith("/*"):
            if len(seen) < 2:
                seen.append(token)
                if len(seen) == 2:
                    header.comment = clean(token)
                continue
            if last_plain is not None and not declaration.strip():
                if not last_plain.comment:
                    last_plain.comment = clean(token)
            elif not declaration.strip():
                comment = clean(token)
                last_group = None
            continue
        if token.startswith("#"):
            define = re.match(r"#define (NANGO_\w+)\s+(.*?)\s*(/\*.*?\*/)?\s*$", token, re.S)
            if define and define[1] != "NANGO_API":
                header.macros.append(Macro(define[1], define[2], header, comment or [],
                                           clean(define[3]) if define[3] else []))
                continue  # macros that follow each other share the comment
            comment, last_group = None, None
            continue
        opening = re.match(r'extern\s+"C"\s*\{', text[match.start():])
        if opening and not declaration.strip():
            position = match.start() + opening.end()
            continue
        if token == "}" and not declaration.strip():
            continue  # of extern "C"
        if token == "{":
            end, level = position, 1
            while level and end < len(text):
                inner = TOKEN.match(text, end)
                level += (inner[0] == "{") - (inner[0] == "}")
                end = inner.end()
            if re.match(r"\s*static inline\b", declaration):
                take(declaration, comment)
                comment, declaration, position = None, "", end
                continue
            kind = re.match(r"\s*typedef (struct|enum)\b", declaration)
            name = re.match(r"\s*(\w+);", text[end:])
            if kind and name:
                header.types.append(Type(kind[1], name[1], header, comment or [],
                                         members(text[position:end - 1], ";" if kind[1] == "struct" else ",")))
                position = end + name.end()
            elif re.match(r"\s*(static const|struct|enum)\b", declaration):
                position = end + text[end:].index(";") + 1  # of an adapter's inside
            else:
                fault(f"not understood: {squeeze(declaration)[:60]}")
                position = end
            comment, last_group, declaration = None, None, ""
            continue
        if token == ";":
            if re.match(r"\s*(typedef struct \w+ \w+|typedef|NANGO_API|static inline)\b", declaration):
                made = take(declaration, comment)
                last_plain = made if isinstance(made, Type) else None
            comment, declaration = None, ""
            continue
        declaration += token
    return header


def read(include_root=None):
    """All public headers, in the order of reading."""
    include_root = pathlib.Path(include_root or ROOT / "include")
    found = [read_header(path, include_root) for path in sorted((include_root / "nango").rglob("*.h"))]
    headers = [h for h in found if h.include != "nango/nango.h"]

    def place(header):
        stem = header.path.stem
        adapter = "adapters/" in header.include
        return (adapter, ORDER.index(stem) if stem in ORDER and not adapter else len(ORDER), stem)

    headers.sort(key=place)
    # A `_start` form belongs to the group of its function.
    groups = {f.name: g for h in headers for g in h.groups for f in g.functions}
    for header in headers:
        for group in list(header.groups):
            for function in list(group.functions):
                base = function.name.removesuffix("_start")
                if base == function.name or base not in groups or groups[base] is group:
                    continue
                group.functions.remove(function)
                home = groups[base].functions
                home.insert(1 + max(i for i, f in enumerate(home) if f.name == base), function)
                function.group = groups[base]
            if not group.functions:
                header.groups.remove(group)
    return headers


def version(headers):
    macros = {m.name: m.value for h in headers for m in h.macros}
    return ".".join(macros[f"NANGO_VERSION_{part}"] for part in ("MAJOR", "MINOR", "PATCH"))


def functions(headers, adapters=False):
    """The exported functions; with `adapters` those that stand in headers only, instead."""
    return [f for h in headers if ("adapters/" in h.include) == adapters
            for g in h.groups for f in g.functions]
