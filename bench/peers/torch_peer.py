#!/usr/bin/env python3
"""PyTorch as a peer: each form is traced, so that the time of the Python code between operations is not measured."""

import sys

sys.dont_write_bytecode = True

import turns


def form_of(case, build):
    """A function that runs the form."""
    import models
    import torch
    from torch_operations import Operations, as_tensor
    operations, x = Operations(models.caches(case)), as_tensor(models.input_rows(case))

    def function(x, *rooms):
        operations.begin(rooms)
        return build(operations, x)

    function(x)
    arguments = (x, *operations.rooms)
    called = torch.jit.trace(function, arguments, check_trace=False)
    return lambda: called(*arguments)


def open_peer(case):
    if case is not None:
        turns.limit_threads(case.get("t", 1))
    import torch
    title = f"PyTorch {torch.__version__}"
    if case is None:
        return title, None
    torch.set_num_threads(case.get("t", 1))
    torch.set_grad_enabled(False)

    def forms():
        import models
        from torch_operations import Operations
        for name, build in models.forms(case, Operations.has_attention):
            run = form_of(case, build)
            yield name, run, lambda run=run: run().numpy()

    return title, forms


turns.serve(open_peer)
