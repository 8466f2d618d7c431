;; its initialiser has not ended after 2 billion steps
(core module $module (func (export "f") (loop (br 0))))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))
