"""ONNX Runtime through its C library, libonnxruntime.so, with ctypes: one session, its inputs and outputs.

The C API is a table of functions whose order never changes (onnxruntime_c_api.h: members are only added at the end).
"""

import ctypes
import glob
import os

import numpy

API_VERSION = 11  # of 2022: any newer library has it, too
# Places in the table of functions.
CREATE_ENV, CREATE_SESSION_FROM_ARRAY, RUN, CREATE_SESSION_OPTIONS = 3, 8, 9, 10
SET_OPTIMIZATION, SET_INTRA_OP_THREADS, SET_INTER_OP_THREADS = 23, 24, 25
CREATE_TENSOR_WITH_DATA, CREATE_CPU_MEMORY_INFO = 49, 69
GET_ERROR_MESSAGE, ADD_SESSION_CONFIG_ENTRY = 2, 129
ERRORS, ALL_OPTIMIZATIONS, ARENA, DEFAULT_MEMORY, FLOAT = 3, 99, 1, 0, 1
P = ctypes.c_void_p


class Unavailable(Exception):
    pass


def candidates(where):
    """What the variable names: the library, or a folder that has it somewhere below; without it the usual places."""
    if where and not os.path.isdir(where):
        return [where]
    folders = [where] if where else ["node_modules/onnxruntime-node", os.path.expanduser("~/node_modules/onnxruntime-node")]
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    found = []
    for folder in folders:
        all_below = sorted(glob.glob(os.path.join(folder, "**", "libonnxruntime.so*"), recursive=True))
        found += [f for f in all_below if f"/{machine}/" in f] or all_below
    return found if where else found + ["libonnxruntime.so", "libonnxruntime.so.1"]


class Library:
    def __init__(self, where):
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else 1.30 sends what it runs to its makers, and leaves files
        library, why = None, "not found"
        for path in candidates(where):
            try:
                library = ctypes.CDLL(path)
                break
            except OSError as error:
                why = str(error)
        if library is None:
            raise Unavailable(f"libonnxruntime.so: {why}")

        class Base(ctypes.Structure):
            _fields_ = [("get_api", ctypes.CFUNCTYPE(P, ctypes.c_uint32)),
                        ("get_version", ctypes.CFUNCTYPE(ctypes.c_char_p))]

        library.OrtGetApiBase.restype = ctypes.POINTER(Base)
        base = library.OrtGetApiBase().contents
        self.version = base.get_version().decode()
        table = base.get_api(API_VERSION)
        if not table:
            raise Unavailable(f"ONNX Runtime {self.version}: older than API version {API_VERSION}")
        self.table = ctypes.cast(table, ctypes.POINTER(P))
        self.env = self.made(CREATE_ENV, [ctypes.c_int, ctypes.c_char_p], ERRORS, b"attnbench")
        self.memory = self.made(CREATE_CPU_MEMORY_INFO, [ctypes.c_int] * 2, ARENA, DEFAULT_MEMORY)

    def function(self, place, types):
        return ctypes.CFUNCTYPE(P, *types)(self.table[place])

    def check(self, status):
        if status:
            message = ctypes.CFUNCTYPE(ctypes.c_char_p, P)(self.table[GET_ERROR_MESSAGE])(status)
            raise RuntimeError(message.decode(errors="replace"))

    def call(self, place, types, *values):
        self.check(self.function(place, types)(*values))

    def made(self, place, types, *values):
        """Calls a function whose last argument takes what it makes."""
        made = P()
        self.call(place, types + [ctypes.POINTER(P)], *values, ctypes.byref(made))
        return made

    def tensor(self, array):
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        return self.made(CREATE_TENSOR_WITH_DATA, [P, P, ctypes.c_size_t, P, ctypes.c_size_t, ctypes.c_int],
                         self.memory, array.ctypes.data, array.nbytes, shape, array.ndim, FLOAT)


class Session:
    """A model with its inputs, and outputs that every run writes to the same place."""

    def __init__(self, library, model, inputs, outputs, threads):
        options = library.made(CREATE_SESSION_OPTIONS, [])
        for place, value in ((SET_INTRA_OP_THREADS, threads), (SET_INTER_OP_THREADS, 1),
                             (SET_OPTIMIZATION, ALL_OPTIMIZATIONS)):
            library.call(place, [P, ctypes.c_int], options, value)
        session = library.made(CREATE_SESSION_FROM_ARRAY, [P, ctypes.c_char_p, ctypes.c_size_t, P], library.env, model,
                               len(model), options)
        self.library = library
        self.inputs = {name: numpy.ascontiguousarray(value, numpy.float32) for name, value in inputs.items()}
        self.outputs = {name: numpy.zeros(shape, numpy.float32) for name, shape in outputs}

        def names(arrays):
            return (ctypes.c_char_p * max(1, len(arrays)))(*(name.encode() for name in arrays))

        def tensors(arrays):
            return (P * max(1, len(arrays)))(*(library.tensor(array) for array in arrays.values()))

        self.arguments = (session, None, names(self.inputs), tensors(self.inputs), ctypes.c_size_t(len(inputs)),
                          names(self.outputs), ctypes.c_size_t(len(self.outputs)), tensors(self.outputs))
        self.function = library.function(RUN, [P, P, P, P, ctypes.c_size_t, P, ctypes.c_size_t, P])

    def run(self):
        status = self.function(*self.arguments)
        if status:
            self.library.check(status)
