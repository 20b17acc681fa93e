// A weight that a product wants in panels and an elementwise operation as the checkpoint has it is there twice.
module @weight_two_ways {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %weight = "mom.param"() {name = "weight", tensor = "weight", shape = [6, 24], first_row = 0} : () -> tensor<6x24xf32, ["out", "model"]>
  %y = "mom.linear"(%x, %weight) : (tensor<?x24xf32, ["T", "model"]>, tensor<6x24xf32, ["out", "model"]>) -> tensor<?x6xf32, ["T", "out"]>
  %z = "mom.mul"(%y, %weight) : (tensor<?x6xf32, ["T", "out"]>, tensor<6x24xf32, ["out", "model"]>) -> tensor<?x6x24xf32, ["T", "out", "model"]>
  "mom.output"(%z) {name = "z"} : (tensor<?x6x24xf32, ["T", "out", "model"]>) -> ()
}
