// PipePool... see the owner's task: Pipe {Fd read, Fd write, uint32_t bytes_in_it} and a bounded
// per-worker store of empty pipes for splice.
#pragma once
