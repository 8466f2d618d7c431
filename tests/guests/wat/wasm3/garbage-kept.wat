;; Garbage collection: a list that grows for ever and is never garbage.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (type $list (struct (field $next (ref null $list))))
  (global $kept (mut (ref null $list)) (ref.null $list))
  (func (export "_start")
    (loop $more
      (global.set $kept (struct.new $list (global.get $kept)))
      (br $more))
    (call $exit (i32.const 0))))
