module @case {
  "mom.update_rule"() ({
  ^bb0(%k: tensor<2xf32, ["key"]>, %h: tensor<2xf32, ["key"]>):
    %0 = "mom.l2_norm"(%h) {eps = 1.0e-6} : (tensor<2xf32, ["key"]>) -> tensor<2xf32, ["key"]> //~ error[E0207]: `l2_norm` cannot stand in the update rule `sum`
    "gpu.yield"(%0, %0) : (tensor<2xf32, ["key"]>, tensor<2xf32, ["key"]>) -> ()
  }) {sym_name = "sum", inputs = ["k"], states = ["h"], outputs = ["o"]} : () -> ()
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %segments = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x1x2xf32, ["vocab", "head", "key"]>
  %k = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x1x2xf32, ["vocab", "head", "key"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  %before = "mom.state"() {name = "sum"} : () -> tensor<?x1x2xf32, ["B", "head", "key"]>
  %y, %after = "mom.scan"(%k, %before, %segments) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>)
  "mom.set_state"(%after) {name = "sum"} : (tensor<?x1x2xf32, ["B", "head", "key"]>) -> ()
  "mom.output"(%y) {name = "y"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
}
