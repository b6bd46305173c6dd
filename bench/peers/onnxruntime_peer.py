#!/usr/bin/env python3
"""ONNX Runtime as a peer. ATTNBENCH_ONNXRUNTIME: libonnxruntime.so, or a folder that has it somewhere below."""

import os
import sys

sys.dont_write_bytecode = True

import turns


def session_of(library, case, build):
    import models
    from onnx_operations import Operations
    from onnxruntime_library import Session
    operations = Operations(models.caches(case))
    out = build(operations, operations.input("x", models.input_rows(case)))
    operations.graph.result(operations.reshape(out, *case["out"]), "out", case["out"])
    return Session(library, operations.graph.model(), operations.fed, operations.graph.outputs, case.get("t", 1))


def open_peer(case):
    from onnxruntime_library import Library, Unavailable
    try:
        library = Library(os.environ.get("ATTNBENCH_ONNXRUNTIME"))
    except Unavailable as error:
        raise turns.Unsupported(error)
    title = f"ONNX Runtime {library.version}"
    if case is None:
        return title, None

    def forms():
        import models
        for name, build in models.forms(case, True):
            session = session_of(library, case, build)
            yield name, session.run, lambda session=session: session.outputs["out"]

    return title, forms


turns.serve(open_peer)
