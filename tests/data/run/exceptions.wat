;; An exception is caught with what it carries.
;; expect stdout: 042
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (tag $failed (param i32))
  ;; Prints a number below 1000 as three digits, and a line's end.
  (func $say (param $n i32)
    (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 100))))
    (i32.store8 (i32.const 17)
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
    (i32.store8 (i32.const 18) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
    (i32.store8 (i32.const 19) (i32.const 10))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $fail (param i32) (throw $failed (local.get 0)))
  (func (export "_start")
    (call $say
      (block $caught (result i32)
        (try_table (catch $failed $caught) (call $fail (i32.const 42)))
        (unreachable)))))
