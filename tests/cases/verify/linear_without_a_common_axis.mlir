module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [3, 2], first_row = 0} : () -> tensor<3x2xf32, ["out", "inner"]>
  %y = "mom.linear"(%x, %w) : (tensor<?x2xf32, ["T", "model"]>, tensor<3x2xf32, ["out", "inner"]>) -> tensor<?x3xf32, ["T", "out"]> //~ error[E0201]: `linear` needs an axis that both operands have; found f32 [T, model 2] and f32 [out 3, inner 2]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
