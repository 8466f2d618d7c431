;; Relaxed vectors: a dot product of bytes and a fused multiplication, of numbers for which every result that may be is the same. Answers 1 + ... + 16, twice, and 6.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory $main (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00")
  (data (i32.const 16) "Content-Type: text/plain\n\n")
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
  (func (export "_start")
    (local $sums v128) (local $fused v128)
    (local.set $sums
      (i32x4.relaxed_dot_i8x16_i7x16_add_s
        (v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
        (v128.const i8x16 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2)
        (v128.const i32x4 0 0 0 0)))
    (local.set $fused
      (f32x4.relaxed_madd (v128.const f32x4 2 0 0 0) (v128.const f32x4 2 0 0 0) (v128.const f32x4 2 0 0 0)))
    (call $answer
      (i32.add
        (i32.add
          (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
          (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums))))
        (i32.trunc_f32_u (f32x4.extract_lane 0 (local.get $fused))))))
)
