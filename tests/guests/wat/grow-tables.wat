;; A WASI 0.2 HTTP component that grows its tables until that is refused, and traps then. Tables count as memory.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))
  (core module $module
    (table $a 1 funcref)
    (table $b 1 externref)
    (func (export "handle") (param i32 i32)
      (loop $again
        (br_if $again (i32.ne (table.grow $a (ref.null func) (i32.const 65536)) (i32.const -1)))
        (br_if $again (i32.ne (table.grow $b (ref.null extern) (i32.const 65536)) (i32.const -1))))
      (unreachable)))
  (core instance $instance (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))
