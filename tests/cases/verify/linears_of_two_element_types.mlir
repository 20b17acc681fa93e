module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %v = "mom.param"() {name = "v", tensor = "v", shape = [3, 2], first_row = 0} : () -> tensor<3x2xf32, ["out", "model"]>
  %w = "mom.param"() {name = "w", tensor = "w", shape = [3, 2], first_row = 0} : () -> tensor<3x2xbf16, ["out", "model"]>
  %y, %z = "mom.linears"(%x, %v, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2xf32, ["T", "model"]>, tensor<3x2xf32, ["out", "model"]>, tensor<3x2xbf16, ["out", "model"]>) -> (tensor<?x3xf32, ["T", "out"]>, tensor<?x3xf32, ["T", "out"]>) //~ error[E0201]: `linear` needs weights of one element type that sum over the same axes; found f32 [out 3, model 2] and bf16 [out 3, model 2]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
