//! sequences: 30 -2 5, 0, 1, 5
// What is made of a product before it is stored: a gate on a second product, a residual, values for each row, each column and in all.
module @epilogues {
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %2 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %3 = "mom.input"() {name = "rows"} : () -> tensor<?xi32, ["L"]>
  %4 = "mom.param"() {name = "embeddings", tensor = "embeddings", shape = [37, 24], first_row = 0} : () -> tensor<37x24xf32, ["vocab", "model"]>
  %5 = "mom.embedding"(%0, %4) : (tensor<?xi32, ["T"]>, tensor<37x24xf32, ["vocab", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %6 = "mom.param"() {name = "norm", tensor = "norm", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %7 = "mom.param"() {name = "gate", tensor = "gate", shape = [45, 24], first_row = 0} : () -> tensor<45x24xf32, ["hidden", "model"]>
  %8 = "mom.param"() {name = "up", tensor = "up", shape = [45, 24], first_row = 0} : () -> tensor<45x24xf32, ["hidden", "model"]>
  %9 = "mom.param"() {name = "down", tensor = "down", shape = [24, 45], first_row = 0} : () -> tensor<24x45xf32, ["model", "hidden"]>
  %10 = "mom.param"() {name = "bias", tensor = "bias", shape = [45], first_row = 0} : () -> tensor<45xf32, ["hidden"]>
  %11 = "mom.param"() {name = "one", tensor = "one", shape = [1, 24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %12 = "mom.param"() {name = "bias_model", tensor = "bias_model", shape = [24], first_row = 0} : () -> tensor<24xf32, ["model"]>
  %22 = "mom.fused"(%5, %6, %7, %8) ({
  ^bb0(%13: tensor<?x24xf32, ["T", "model"]>, %14: tensor<24xf32, ["model"]>, %15: tensor<45x24xf32, ["hidden", "model"]>, %16: tensor<45x24xf32, ["hidden", "model"]>):
    %17 = "mom.rms_norm"(%13, %14) {eps = 1.0e-6} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %18, %19 = "mom.linears"(%17, %15, %16) {operandSegmentSizes = array<i32: 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<45x24xf32, ["hidden", "model"]>, tensor<45x24xf32, ["hidden", "model"]>) -> (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>)
    %20 = "mom.silu"(%18) : (tensor<?x45xf32, ["T", "hidden"]>) -> tensor<?x45xf32, ["T", "hidden"]>
    %21 = "mom.mul"(%20, %19) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>) -> tensor<?x45xf32, ["T", "hidden"]>
    "gpu.yield"(%21) : (tensor<?x45xf32, ["T", "hidden"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<45x24xf32, ["hidden", "model"]>, tensor<45x24xf32, ["hidden", "model"]>) -> tensor<?x45xf32, ["T", "hidden"]>
  %28 = "mom.fused"(%22, %9, %5) ({
  ^bb0(%23: tensor<?x45xf32, ["T", "hidden"]>, %24: tensor<24x45xf32, ["model", "hidden"]>, %25: tensor<?x24xf32, ["T", "model"]>):
    %26 = "mom.linear"(%23, %24) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<24x45xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
    %27 = "mom.add"(%25, %26) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%27) : (tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x45xf32, ["T", "hidden"]>, tensor<24x45xf32, ["model", "hidden"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
  %29 = "mom.linear"(%5, %11) : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?xf32, ["T"]>
  %43, %44, %45 = "mom.fused"(%22, %9, %5, %29, %12) ({
  ^bb0(%30: tensor<?x45xf32, ["T", "hidden"]>, %31: tensor<24x45xf32, ["model", "hidden"]>, %32: tensor<?x24xf32, ["T", "model"]>, %33: tensor<?xf32, ["T"]>, %34: tensor<24xf32, ["model"]>):
    %35 = "mom.linear"(%30, %31) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<24x45xf32, ["model", "hidden"]>) -> tensor<?x24xf32, ["T", "model"]>
    %36 = "mom.exp"(%34) : (tensor<24xf32, ["model"]>) -> tensor<24xf32, ["model"]>
    %37 = "mom.add"(%35, %36) : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?x24xf32, ["T", "model"]>
    %38 = "mom.sigmoid"(%33) : (tensor<?xf32, ["T"]>) -> tensor<?xf32, ["T"]>
    %39 = "mom.mul"(%37, %38) : (tensor<?x24xf32, ["T", "model"]>, tensor<?xf32, ["T"]>) -> tensor<?x24xf32, ["T", "model"]>
    %40 = "mom.constant"() {value = 0.5} : () -> tensor<f32>
    %41 = "mom.mul"(%39, %40) : (tensor<?x24xf32, ["T", "model"]>, tensor<f32>) -> tensor<?x24xf32, ["T", "model"]>
    %42 = "mom.add"(%41, %32) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> tensor<?x24xf32, ["T", "model"]>
    "gpu.yield"(%42, %37, %35) : (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x45xf32, ["T", "hidden"]>, tensor<24x45xf32, ["model", "hidden"]>, tensor<?x24xf32, ["T", "model"]>, tensor<?xf32, ["T"]>, tensor<24xf32, ["model"]>) -> (tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>, tensor<?x24xf32, ["T", "model"]>)
  %54, %55 = "mom.fused"(%5, %7, %8, %10) ({
  ^bb0(%46: tensor<?x24xf32, ["T", "model"]>, %47: tensor<45x24xf32, ["hidden", "model"]>, %48: tensor<45x24xf32, ["hidden", "model"]>, %49: tensor<45xf32, ["hidden"]>):
    %50, %51 = "mom.linears"(%46, %47, %48) {operandSegmentSizes = array<i32: 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<45x24xf32, ["hidden", "model"]>, tensor<45x24xf32, ["hidden", "model"]>) -> (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>)
    %52 = "mom.add"(%50, %49) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<45xf32, ["hidden"]>) -> tensor<?x45xf32, ["T", "hidden"]>
    %53 = "mom.mul"(%52, %52) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>) -> tensor<?x45xf32, ["T", "hidden"]>
    "gpu.yield"(%53, %51) : (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<45x24xf32, ["hidden", "model"]>, tensor<45x24xf32, ["hidden", "model"]>, tensor<45xf32, ["hidden"]>) -> (tensor<?x45xf32, ["T", "hidden"]>, tensor<?x45xf32, ["T", "hidden"]>)
  %61 = "mom.fused"(%5, %11, %29) ({
  ^bb0(%56: tensor<?x24xf32, ["T", "model"]>, %57: tensor<24xf32, ["model"]>, %58: tensor<?xf32, ["T"]>):
    %59 = "mom.linear"(%56, %57) : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>) -> tensor<?xf32, ["T"]>
    %60 = "mom.add"(%59, %58) : (tensor<?xf32, ["T"]>, tensor<?xf32, ["T"]>) -> tensor<?xf32, ["T"]>
    "gpu.yield"(%60) : (tensor<?xf32, ["T"]>) -> ()
  }) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x24xf32, ["T", "model"]>, tensor<24xf32, ["model"]>, tensor<?xf32, ["T"]>) -> tensor<?xf32, ["T"]>
  "mom.output"(%28) {name = "y"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%22) {name = "h"} : (tensor<?x45xf32, ["T", "hidden"]>) -> ()
  "mom.output"(%61) {name = "o"} : (tensor<?xf32, ["T"]>) -> ()
  "mom.output"(%43) {name = "m0"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%44) {name = "m1"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%45) {name = "m2"} : (tensor<?x24xf32, ["T", "model"]>) -> ()
  "mom.output"(%54) {name = "s0"} : (tensor<?x45xf32, ["T", "hidden"]>) -> ()
  "mom.output"(%55) {name = "s1"} : (tensor<?x45xf32, ["T", "hidden"]>) -> ()
}
