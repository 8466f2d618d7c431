;; Garbage collection: 50 trees of 8,191 nodes, each garbage before the next. Answers how many nodes there were.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory $main (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00")
  (data (i32.const 16) "Content-Type: text/plain\n\n")
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))
  ;; Writes the header and a number: the digits backwards in front of a newline, then all of it behind the header.
  (func $answer (param $number i32)
    (local $at i32)
    (local.set $at (i32.const 95))
    (i32.store8 $main (local.get $at) (i32.const 10))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 $main (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (local.get $number)))
    (memory.copy $main $main (i32.const 42) (local.get $at) (i32.sub (i32.const 96) (local.get $at)))
    (i32.store $main (i32.const 4) (i32.sub (i32.const 122) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $grown (param $depth i32) (result (ref $node))
    (if (i32.eqz (local.get $depth)) (then (return (struct.new_default $node))))
    (struct.new $node
      (call $grown (i32.sub (local.get $depth) (i32.const 1)))
      (call $grown (i32.sub (local.get $depth) (i32.const 1)))))
  (func $count (param $node (ref null $node)) (result i32)
    (if (ref.is_null (local.get $node)) (then (return (i32.const 0))))
    (i32.add (i32.const 1)
      (i32.add
        (call $count (struct.get $node $left (local.get $node)))
        (call $count (struct.get $node $right (local.get $node))))))
  (func (export "_start")
    (local $trees i32) (local $nodes i32)
    (loop $next
      (local.set $nodes (i32.add (local.get $nodes) (call $count (call $grown (i32.const 12)))))
      (local.set $trees (i32.add (local.get $trees) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $trees) (i32.const 50))))
    (call $answer (local.get $nodes)))
)
