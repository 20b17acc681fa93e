// What no layer has: arithmetic that changes nothing, mixtures of choices that are mapped before or after, and an output
// that turns out to be another.
module @linear {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [24, 16], first_row = 0} : () -> tensor<24x16xf32, ["vocab", "model"]>
  %4 = "mom.embedding"(%0, %3) : (tensor<?xi32, ["T"]>, tensor<24x16xf32, ["vocab", "model"]>) -> tensor<?x16xf32, ["T", "model"]>
  %5 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
  %6 = "mom.mul"(%4, %5) : (tensor<?x16xf32, ["T", "model"]>, tensor<f32>) -> tensor<?x16xf32, ["T", "model"]>
  %7 = "mom.neg"(%6) : (tensor<?x16xf32, ["T", "model"]>) -> tensor<?x16xf32, ["T", "model"]>
  %8 = "mom.neg"(%7) : (tensor<?x16xf32, ["T", "model"]>) -> tensor<?x16xf32, ["T", "model"]>
  %9 = "mom.param"() {name = "router", tensor = "router", shape = [3, 16], first_row = 0} : () -> tensor<3x16xf32, ["memory", "model"]>
  %10 = "mom.linear"(%8, %9) : (tensor<?x16xf32, ["T", "model"]>, tensor<3x16xf32, ["memory", "model"]>) -> tensor<?x3xf32, ["T", "memory"]>
  "mom.output"(%10) {name = "router_logits.0"} : (tensor<?x3xf32, ["T", "memory"]>) -> ()
  %11, %12 = "mom.router"(%10) {top_k = 2} : (tensor<?x3xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %13, %14, %15 = "mom.sort"(%11, %1, %2) {memories = 3} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %16 = "mom.silu"(%8) : (tensor<?x16xf32, ["T", "model"]>) -> tensor<?x16xf32, ["T", "model"]>
  %17 = "mom.dispatch"(%16, %13, %15) : (tensor<?x16xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x16xf32, ["2T", "model"]>
  %18 = "mom.param"() {name = "own.0", tensor = "own.0", shape = [24, 16], first_row = 0} : () -> tensor<24x16xf32, ["hidden", "model"]>
  %19 = "mom.param"() {name = "own.1", tensor = "own.1", shape = [24, 16], first_row = 0} : () -> tensor<24x16xf32, ["hidden", "model"]>
  %20 = "mom.param"() {name = "own.2", tensor = "own.2", shape = [24, 16], first_row = 0} : () -> tensor<24x16xf32, ["hidden", "model"]>
  %21 = "mom.grouped_linear"(%17, %15, %18, %19, %20) : (tensor<?x16xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<24x16xf32, ["hidden", "model"]>, tensor<24x16xf32, ["hidden", "model"]>, tensor<24x16xf32, ["hidden", "model"]>) -> tensor<?x24xf32, ["2T", "hidden"]>
  %22 = "mom.combine"(%21, %14, %12) : (tensor<?x24xf32, ["2T", "hidden"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x24xf32, ["T", "hidden"]>
  %23 = "mom.param"() {name = "after", tensor = "after", shape = [16, 24], first_row = 0} : () -> tensor<16x24xf32, ["model", "hidden"]>
  %24 = "mom.linear"(%22, %23) : (tensor<?x24xf32, ["T", "hidden"]>, tensor<16x24xf32, ["model", "hidden"]>) -> tensor<?x16xf32, ["T", "model"]>
  "mom.output"(%24) {name = "mapped_after"} : (tensor<?x16xf32, ["T", "model"]>) -> ()
  %25 = "mom.param"() {name = "before", tensor = "before", shape = [12, 24], first_row = 0} : () -> tensor<12x24xf32, ["out", "hidden"]>
  %26 = "mom.linear"(%21, %25) : (tensor<?x24xf32, ["2T", "hidden"]>, tensor<12x24xf32, ["out", "hidden"]>) -> tensor<?x12xf32, ["2T", "out"]>
  %27 = "mom.combine"(%26, %14, %12) : (tensor<?x12xf32, ["2T", "out"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x12xf32, ["T", "out"]>
  "mom.output"(%27) {name = "mapped_before"} : (tensor<?x12xf32, ["T", "out"]>) -> ()
  %28 = "mom.mul"(%27, %5) : (tensor<?x12xf32, ["T", "out"]>, tensor<f32>) -> tensor<?x12xf32, ["T", "out"]>
  %29 = "mom.constant"() {value = 0.0} : () -> tensor<f32>
  %30 = "mom.add"(%28, %29) : (tensor<?x12xf32, ["T", "out"]>, tensor<f32>) -> tensor<?x12xf32, ["T", "out"]>
  "mom.output"(%30) {name = "mapped_before_again"} : (tensor<?x12xf32, ["T", "out"]>) -> ()
}
