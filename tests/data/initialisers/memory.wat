;; its initialiser needs more than 64MiB of memory
(core module $module
  (memory (export "memory") 1)
  (func (export "f")
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    unreachable))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))
