;; Endless recursion is a trap, not the end of this process.
;; expect exit: 134
;; expect stderr: call stack exhausted
(module
  (memory (export "memory") 1)
  (func $down (export "_start") (call $down)))
