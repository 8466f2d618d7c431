;; A core module where a component was meant.
(module
  (memory (export "memory") 1)
  (func (export "_start")))
