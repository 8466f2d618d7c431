;; Several memories, and a copy from one to another.
;; expect stdout: one and two
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (memory $one 1)
  (memory $two 1)
  (data (memory $one) (i32.const 0) "one and ")
  (data (memory $two) (i32.const 100) "two\n")
  (func (export "_start")
    (memory.copy 0 $one (i32.const 16) (i32.const 0) (i32.const 8))
    (memory.copy 0 $two (i32.const 24) (i32.const 100) (i32.const 4))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 12))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
