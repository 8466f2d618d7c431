;; The first argument is the file's name without its folder.
;; args: one
;; expect stdout: arguments.wat
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; Pointers at 64, text at 128: print the first one, whose end is where the second begins.
  (func (export "_start")
    (drop (call $args (i32.const 64) (i32.const 128)))
    (i32.store (i32.const 0) (i32.load (i32.const 64)))
    (i32.store (i32.const 4)
      (i32.sub (i32.load (i32.const 68)) (i32.load (i32.const 64))))
    ;; A line's end over the zero.
    (i32.store8 (i32.sub (i32.load (i32.const 68)) (i32.const 1)) (i32.const 10))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
