;; A trap is 134, after what was printed before it.
;; expect exit: 134
;; expect stderr: unreachable
(module
  (memory (export "memory") 1)
  (func (export "_start") (unreachable)))
