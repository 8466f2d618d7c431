;; Several memories: the request's body goes into a second one, from there backwards into a third, and back from there.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory $main (export "memory") 1)
  (memory $came 1)
  (memory $goes 1)
  (data (i32.const 16) "Content-Type: text/plain\n\n")
  (func (export "_start")
    (local $length i32) (local $at i32)
    (i32.store $main (i32.const 0) (i32.const 1024))
    (i32.store $main (i32.const 4) (i32.const 4096))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $length (i32.load $main (i32.const 8)))
    (memory.copy $came $main (i32.const 0) (i32.const 1024) (local.get $length))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $length)))
        (i32.store8 $goes
          (i32.sub (i32.sub (local.get $length) (local.get $at)) (i32.const 1))
          (i32.load8_u $came (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (memory.copy $main $goes (i32.const 42) (i32.const 0) (local.get $length))
    (i32.store $main (i32.const 0) (i32.const 16))
    (i32.store $main (i32.const 4) (i32.add (i32.const 26) (local.get $length)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
