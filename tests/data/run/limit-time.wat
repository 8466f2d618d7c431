;; A guest that sleeps for an hour is ended by the wall clock.
;; flags: --limit time=50ms
;; expect exit: 124
;; expect stderr: time limit
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    ;; One subscription at 64: the monotonic clock, after so many nanoseconds.
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 3600000000000))
    (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 0)))))
