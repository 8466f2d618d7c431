;; An import that nobody offers is named before anything runs.
;; expect exit: 3
;; expect stderr: frobnicate
(module
  (import "env" "frobnicate" (func))
  (memory (export "memory") 1)
  (func (export "_start")))
