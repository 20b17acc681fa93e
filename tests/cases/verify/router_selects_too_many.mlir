module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %selected, %weight = "mom.router"(%x) {top_k = 3} : (tensor<?x2xf32, ["T", "model"]>) -> (tensor<?x3xi32, ["T", "choice"]>, tensor<?x3xf32, ["T", "choice"]>) //~ error[E0201]: `router` selects between 1 and all 2 memories, not 3
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
