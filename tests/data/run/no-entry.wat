;; A module without `_start` is no command.
;; expect exit: 3
;; expect stderr: `_start`
(module
  (memory (export "memory") 1)
  (func (export "_initialize")))
