;; Structures, arrays, casts and more garbage than the heap holds at once.
;; expect stdout: 042
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $pair (struct (field $left (mut i32)) (field $right (ref null $pair))))
  (type $numbers (array (mut i32)))
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
  (func (export "_start")
    (local $round i32) (local $head (ref null $pair)) (local $numbers (ref $numbers)) (local $any anyref)
    (local.set $numbers (array.new $numbers (i32.const 2) (i32.const 10)))
    (loop $again
      ;; A fresh chain of two for each round; that of the round before is garbage.
      (local.set $head (struct.new $pair (i32.const 40) (ref.null $pair)))
      (local.set $head (struct.new $pair (i32.const 2) (local.get $head)))
      (drop (array.new $numbers (local.get $round) (i32.const 64)))
      (br_if $again
        (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 20000))))
    (local.set $any (local.get $head))
    (call $say
      (i32.add
        (struct.get $pair $left (ref.cast (ref $pair) (local.get $any)))
        (struct.get $pair $left (struct.get $pair $right (local.get $head)))))
    (if (i32.ne (array.get $numbers (local.get $numbers) (i32.const 9)) (i32.const 2)) (then (unreachable)))
    (if (ref.test (ref $numbers) (local.get $any)) (then (unreachable)))))
