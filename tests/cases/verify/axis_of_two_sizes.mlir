module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [3], first_row = 0} : () -> tensor<3xf32, ["model"]>
  %y = "mom.add"(%x, %w) : (tensor<?x2xf32, ["T", "model"]>, tensor<3xf32, ["model"]>) -> tensor<?x2xf32, ["T", "model"]> //~ error[E0201]: `add` needs the axis `model` to have one size; found f32 [T, model 2] and f32 [model 3]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
