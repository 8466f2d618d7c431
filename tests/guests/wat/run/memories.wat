;; Several memories: writes 42 into the second, copies it to the first, exits with it.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory $first (export "memory") 1)
  (memory $second 1)
  (func (export "_start")
    (i32.store $second (i32.const 8) (i32.const 42))
    (memory.copy $first $second (i32.const 16) (i32.const 8) (i32.const 4))
    (call $exit (i32.load $first (i32.const 16)))))
