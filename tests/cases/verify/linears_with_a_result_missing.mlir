module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [3, 2], first_row = 0} : () -> tensor<3x2xf32, ["out", "model"]>
  %y = "mom.linears"(%x, %w, %w) {operandSegmentSizes = array<i32: 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2xf32, ["T", "model"]>, tensor<3x2xf32, ["out", "model"]>, tensor<3x2xf32, ["out", "model"]>) -> tensor<?x3xf32, ["T", "out"]> //~ error[E0201]: `linear` makes f32 [T, out 3], f32 [T, out 3]; found f32 [T, out 3]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
