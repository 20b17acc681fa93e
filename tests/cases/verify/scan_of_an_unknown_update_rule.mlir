module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %segments = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x1x2xf32, ["vocab", "head", "key"]>
  %k = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x1x2xf32, ["vocab", "head", "key"]>) -> tensor<?x1x2xf32, ["T", "head", "key"]>
  %before = "mom.state"() {name = "sum"} : () -> tensor<?x1x2xf32, ["B", "head", "key"]>
  %y, %after = "mom.scan"(%k, %before, %segments) {update_rule = @sum, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?x1x2xf32, ["T", "head", "key"]>, tensor<?x1x2xf32, ["B", "head", "key"]>) //~ error[E0201]: `scan` refers to `sum`, but there is no such update rule
  "mom.set_state"(%after) {name = "sum"} : (tensor<?x1x2xf32, ["B", "head", "key"]>) -> ()
  "mom.output"(%y) {name = "y"} : (tensor<?x1x2xf32, ["T", "head", "key"]>) -> ()
}
