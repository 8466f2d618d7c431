;; A core module where a component or a program was meant.
(module
  (memory (export "memory") 1)
  (func (export "handle")))
