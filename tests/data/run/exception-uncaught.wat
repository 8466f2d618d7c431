;; An exception that nobody catches is a trap.
;; expect exit: 134
;; expect stderr: exception
(module
  (memory (export "memory") 1)
  (tag $failed)
  (func (export "_start") (throw $failed)))
