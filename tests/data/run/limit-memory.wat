;; Growth beyond the limit is refused; what gives up on that is ended by the limit.
;; flags: --limit memory=1MiB
;; expect exit: 124
;; expect stderr: memory
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then (unreachable)))))
