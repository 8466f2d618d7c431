;; An error in the text has its line.
;; expect exit: 3
;; expect stderr: syntax.wat:5
(module
  (func (export "_start") (i32.cnst 1)))
