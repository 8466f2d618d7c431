;; 64-bit memory: stores and loads through 64-bit addresses, exits with 42.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (memory $wide i64 2)
  (func (export "_start")
    (i32.store $wide (i64.const 70000) (i32.const 42))
    (call $exit (i32.load $wide (i64.const 70000)))))
