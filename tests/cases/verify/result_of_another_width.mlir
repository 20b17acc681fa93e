module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x3xf32, ["T", "model"]> //~ error[E0201]: `embedding` makes f32 [T, model 2]; found f32 [T, model 3]
  "mom.output"(%x) {name = "x"} : (tensor<?x3xf32, ["T", "model"]>) -> ()
}
