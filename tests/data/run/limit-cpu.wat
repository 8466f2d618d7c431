;; A loop without end, in a limit of executed time.
;; flags: --limit cpu=50ms
;; expect exit: 124
;; expect stderr: executed time
(module
  (memory (export "memory") 1)
  (func (export "_start") (loop $again (br $again))))
