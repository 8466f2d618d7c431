;; Garbage collection: allocates a list of structs, sums it, exits with 42.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (type $list (struct (field $value i32) (field $next (ref null $list))))
  (func (export "_start")
    (local $head (ref null $list)) (local $n i32) (local $sum i32)
    (loop $push
      (local.set $head (struct.new $list (i32.const 1) (local.get $head)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $push (i32.lt_u (local.get $n) (i32.const 42))))
    (block $end
      (loop $next
        (br_if $end (ref.is_null (local.get $head)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $list $value (local.get $head))))
        (local.set $head (struct.get $list $next (local.get $head)))
        (br $next)))
    (call $exit (local.get $sum))))
