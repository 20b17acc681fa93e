module @case {
  %tokens = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %table = "mom.param"() {name = "table", tensor = "table", shape = [4, 2], first_row = 0} : () -> tensor<4x2xf32, ["vocab", "model"]>
  %x = "mom.embedding"(%tokens, %table) : (tensor<?xi32, ["T"]>, tensor<4x2xf32, ["vocab", "model"]>) -> tensor<?x2xf32, ["T", "model"]>
  %selected, %weight = "mom.router"(%x) {top_k = 1} : (tensor<?x2xf32, ["T", "model"]>) -> (tensor<?x1xi32, ["T", "choice"]>, tensor<?x1xf32, ["T", "choice"]>)
  %y = "mom.append"(%x, %selected, %x, %selected) : (tensor<?x2xf32, ["T", "model"]>, tensor<?x1xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "model"]>, tensor<?x1xi32, ["T", "choice"]>) -> tensor<?x2xf32, ["2T", "model"]> //~ error[E0201]: `append` needs slots of the result of type i32 [T, choice 2]; found i32 [T, choice 1]
  "mom.output"(%x) {name = "x"} : (tensor<?x2xf32, ["T", "model"]>) -> ()
}
