;; Text that is no WebAssembly.
(component (core module (func (export "f") (i32.add
