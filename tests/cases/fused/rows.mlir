//! sequences: 30 -2 5, 0, 1, 5
// A row-wise body with several results: norms, arithmetic that several read, broadcasting, rows that are only moved.
module @rows {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "norm", tensor = "norm", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.param"() {name = "head_norm", tensor = "head_norm", shape = [6], first_row = 0} : () -> tensor<6xf32, ["value"]>
  %8 = "mom.param"() {name = "scale", tensor = "scale", shape = [4], first_row = 0} : () -> tensor<4xf32, ["head"]>
  %9 = "mom.param"() {name = "p", tensor = "p", shape = [24, 24], first_row = 0} : () -> tensor<4x6x24xf32, ["head", "value", "model"]>
  %10 = "mom.linear"(%5, %9) : (tensor<?x24xf32, ["T", "model"]>, tensor<4x6x24xf32, ["head", "value", "model"]>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
  %26, %27, %28 = "mom.fused"(%5, %6, %10, %7, %8) ({
  ^bb0(%11: tensor<?x24xf32, ["T", "model"]>, %12: tensor<24xf32, ["model"]>, %13: tensor<?x4x6xf32, ["T", "head", "value"]>, %14: tensor<6xf32, ["value"]>, %15: tensor<4xf32, ["head"]>):
    %16 = "mom.rms_norm"(%11, %12) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %17 = "mom.silu"(%16) : (tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %18 = "mom.mul"(%17, %16) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %19 = "mom.rms_norm"(%13, %14) {eps = 1.0e-6} : (tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<6xf32, ["value"]>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
    %20 = "mom.exp"(%15) : (tensor<4xf32, ["head"]>) -> tensor<4xf32, ["head"]>
    %21 = "mom.mul"(%19, %20) : (tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<4xf32, ["head"]>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
    %22 = "mom.l2_norm"(%21) {eps = 1.0e-6} : (tensor<?x4x6xf32, ["T", "head", "value"]>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
    %23 = "mom.constant"() {value = 0.25} : () -> tensor<f32>
    %24 = "mom.mul"(%22, %23) : (tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<f32>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
    %25 = "mom.add"(%24, %21) : (tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<?x4x6xf32, ["T", "head", "value"]>) -> tensor<?x4x6xf32, ["T", "head", "value"]>
    "gpu.yield"(%18, %25, %16) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<6xf32, ["value"]>, tensor<4xf32, ["head"]>) -> (tensor<?x24xf32, ["T", "model"]>, tensor<?x4x6xf32, ["T", "head", "value"]>, tensor<?x24xf32, ["T", "model"]>)
  %33 = "mom.fused"(%5) ({
  ^bb0(%29: tensor<?x24xf32, ["T", "model"]>):
    %30 = "mom.exp"(%29) : (tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %31 = "mom.constant"() {value = 1.0} : () -> tensor<f32>
    %32 = "mom.add"(%30, %31) : (tensor<?x24xf32, ["T", "model"]>, tensor<f32>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%32) : (tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %39 = "mom.fused"(%5, %3, %6) ({
  ^bb0(%34: tensor<?x24xf32, ["T", "model"]>, %35: tensor<?xi32, ["L"]>, %36: tensor<24xf32, ["model"]>):
    %37 = "mom.select_rows"(%34, %35) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>) -> tensor<?x24xf32, ["L", "model"]>
    %38 = "mom.rms_norm"(%37, %36) {eps = 1.0e-6} : (tensor<?x24xf32, ["L", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
    "gpu.yield"(%38) : (tensor<?x24xf32, ["L", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<?xi32, ["L"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["L", "model"]>
  "mom.output"(%26) {name = "a"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%27) {name = "d"} : (tensor<?x4x6xf32, ["T", "head", "value"]>) -> ()
  "mom.output"(%28) {name = "n"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%33) {name = "one"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%39) {name = "tail"} : (tensor<?x24xf32, ["L", "model"]>) -> ()
}
