module @case {
  %tokens = "mom.input"() {name = "ids"} : () -> tensor<?xi32, ["T"]> //~ error[E0201]: a step has no input `ids` of integers; it has `tokens`, `position`, `cu_seqlens` and `rows`, and f32 tensors of other names
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
