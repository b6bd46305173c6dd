#!/usr/bin/env python3
"""Prose of Markdown files, no line over 120 columns: tests/wrap_docs.py [--check] FILE...

Paragraphs and items of lists with a longer line are filled again; tables, code and all else stay as they are.
--check changes nothing, names such lines, and exits with 1 when there are any.
"""
import re
import sys

COLUMNS = 120
ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
APART = re.compile(r"\s*(?:#|\||>|<|```|~~~|\[[^\]]+\]:)|\s*$| {4,}\S")  # no prose, or its end
WORD = re.compile(r"(?:`+[^`]*`+|\S)+")  # code stays whole
NO_START = re.compile(r"(?:[-*+#>|=]+|\d+[.)])$")  # would be read as something else at the start of a line


def words_of(text):
    words = []
    for word in WORD.findall(text):
        if words and NO_START.match(word):
            words[-1] += " " + word
        else:
            words.append(word)
    return words


def filled(paragraph):
    first = ITEM.match(paragraph[0])
    start = first.group() if first else re.match(r"\s*", paragraph[0]).group()
    indent = " " * len(start)
    text = " ".join([paragraph[0][len(start):]] + paragraph[1:])
    lines, line = [], start
    for word in words_of(text):
        if line.strip() and line != start and len(line) + len(word) > COLUMNS:
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    return lines + [line.rstrip()]


def too_long(paragraph):
    return any(len(line) > COLUMNS for line in paragraph)


def wrapped(lines):
    out, paragraph, fenced = [], [], False

    def end():
        out.extend(filled(paragraph) if too_long(paragraph) else paragraph)
        paragraph.clear()

    for line in lines:
        fence = re.match(r"\s*(```|~~~)", line)
        if fence or fenced or (APART.match(line) and not (paragraph and line.startswith("    ") and line.strip())):
            end()
            out.append(line)
            fenced = fenced != bool(fence)
        else:
            if ITEM.match(line):
                end()
            paragraph.append(line)
            if line.endswith("  ") or line.endswith("\\"):  # breaks the line
                end()
    end()
    return out


def main(arguments):
    check = "--check" in arguments
    bad = 0
    for name in arguments:
        if name == "--check":
            continue
        with open(name, encoding="utf-8") as file:
            before = file.read().split("\n")
        after = wrapped(before)
        if after == before:
            continue
        bad += 1
        if check:
            print(f"{name}: prose over {COLUMNS} columns; `make format` fills it again")
        else:
            with open(name, "w", encoding="utf-8") as file:
                file.write("\n".join(after))
    return int(check and bad > 0)


sys.exit(main(sys.argv[1:]))
