// The two parts of a scan, and a mixture of what is read.
module @states_of_rows {
  "mom.update_rule"() ({
  ^bb0(%q: tensor<4xf32, ["key"]>, %k: tensor<4xf32, ["key"]>, %v: tensor<3xf32, ["value"]>, %beta: tensor<f32>, %g: tensor<f32>, %h: tensor<4x3xf32, ["key", "value"]>):
    %0 = "mom.exp"(%g) : (tensor<f32>) -> tensor<f32>
    %1 = "mom.mul"(%0, %h) : (tensor<f32>, tensor<4x3xf32, ["key", "value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %2 = "mom.contract"(%1, %k) : (tensor<4x3xf32, ["key", "value"]>, tensor<4xf32, ["key"]>) -> tensor<3xf32, ["value"]>
    %3 = "mom.sub"(%v, %2) : (tensor<3xf32, ["value"]>, tensor<3xf32, ["value"]>) -> tensor<3xf32, ["value"]>
    %4 = "mom.mul"(%k, %3) : (tensor<4xf32, ["key"]>, tensor<3xf32, ["value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %5 = "mom.mul"(%beta, %4) : (tensor<f32>, tensor<4x3xf32, ["key", "value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %6 = "mom.add"(%1, %5) : (tensor<4x3xf32, ["key", "value"]>, tensor<4x3xf32, ["key", "value"]>) -> tensor<4x3xf32, ["key", "value"]>
    %7 = "mom.constant"() {value = 0.5} : () -> tensor<f32>
    %8 = "mom.contract"(%6, %q) : (tensor<4x3xf32, ["key", "value"]>, tensor<4xf32, ["key"]>) -> tensor<3xf32, ["value"]>
    %9 = "mom.mul"(%7, %8) : (tensor<f32>, tensor<3xf32, ["value"]>) -> tensor<3xf32, ["value"]>
    "gpu.yield"(%6, %9) : (tensor<4x3xf32, ["key", "value"]>, tensor<3xf32, ["value"]>) -> ()
  }) {sym_name = "gated_delta_rule", inputs = ["q", "k", "v", "beta", "g"], states = ["h"], outputs = ["o"], at_most = ["", "", "", "", "0.0"]} : () -> ()
  %0 = "mom.input"() {name = "tokens"} : () -> tensor<?xi32, ["T"]>
  %1 = "mom.param"() {name = "table", tensor = "table", shape = [7, 6], first_row = 0} : () -> tensor<7x6xf32, ["vocab", "model"]>
  %2 = "mom.embedding"(%0, %1) : (tensor<?xi32, ["T"]>, tensor<7x6xf32, ["vocab", "model"]>) -> tensor<?x6xf32, ["T", "model"]>
  %3 = "mom.param"() {name = "gate", tensor = "gate", shape = [3, 6], first_row = 0} : () -> tensor<3x6xf32, ["memory", "model"]>
  %4 = "mom.linear"(%2, %3) : (tensor<?x6xf32, ["T", "model"]>, tensor<3x6xf32, ["memory", "model"]>) -> tensor<?x3xf32, ["T", "memory"]>
  %5, %6 = "mom.router"(%4) {top_k = 2} : (tensor<?x3xf32, ["T", "memory"]>) -> (tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>)
  %7 = "mom.input"() {name = "position"} : () -> tensor<?xi32, ["T"]>
  %8 = "mom.input"() {name = "cu_seqlens"} : () -> tensor<?xi32, ["B+1"]>
  %9, %10, %11 = "mom.sort"(%5, %7, %8) {memories = 3} : (tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["T"]>, tensor<?xi32, ["B+1"]>) -> (tensor<?xi32, ["2T"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?xi32, ["3B+1"]>)
  %12 = "mom.dispatch"(%2, %9, %11) : (tensor<?x6xf32, ["T", "model"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x6xf32, ["2T", "model"]>
  %13 = "mom.param"() {name = "q_proj", tensor = "q_proj", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %14 = "mom.linear"(%2, %13) : (tensor<?x6xf32, ["T", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>) -> tensor<?x2x4xf32, ["T", "head", "key"]>
  %15 = "mom.dispatch"(%14, %9, %11) : (tensor<?x2x4xf32, ["T", "head", "key"]>, tensor<?xi32, ["2T"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x2x4xf32, ["2T", "head", "key"]>
  %16 = "mom.param"() {name = "own.k.0", tensor = "own.k.0", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %17 = "mom.param"() {name = "own.k.1", tensor = "own.k.1", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %18 = "mom.param"() {name = "own.k.2", tensor = "own.k.2", shape = [8, 6], first_row = 0} : () -> tensor<2x4x6xf32, ["head", "key", "model"]>
  %19 = "mom.grouped_linear"(%12, %11, %16, %17, %18) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x4x6xf32, ["head", "key", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>, tensor<2x4x6xf32, ["head", "key", "model"]>) -> tensor<?x2x4xf32, ["2T", "head", "key"]>
  %20 = "mom.param"() {name = "own.v.0", tensor = "own.v.0", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %21 = "mom.param"() {name = "own.v.1", tensor = "own.v.1", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %22 = "mom.param"() {name = "own.v.2", tensor = "own.v.2", shape = [6, 6], first_row = 0} : () -> tensor<2x3x6xf32, ["head", "value", "model"]>
  %23 = "mom.grouped_linear"(%12, %11, %20, %21, %22) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x3x6xf32, ["head", "value", "model"]>, tensor<2x3x6xf32, ["head", "value", "model"]>, tensor<2x3x6xf32, ["head", "value", "model"]>) -> tensor<?x2x3xf32, ["2T", "head", "value"]>
  %24 = "mom.param"() {name = "own.beta.0", tensor = "own.beta.0", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %25 = "mom.param"() {name = "own.beta.1", tensor = "own.beta.1", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %26 = "mom.param"() {name = "own.beta.2", tensor = "own.beta.2", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %27 = "mom.grouped_linear"(%12, %11, %24, %25, %26) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %28 = "mom.param"() {name = "own.g.0", tensor = "own.g.0", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %29 = "mom.param"() {name = "own.g.1", tensor = "own.g.1", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %30 = "mom.param"() {name = "own.g.2", tensor = "own.g.2", shape = [2, 6], first_row = 0} : () -> tensor<2x6xf32, ["head", "model"]>
  %31 = "mom.grouped_linear"(%12, %11, %28, %29, %30) : (tensor<?x6xf32, ["2T", "model"]>, tensor<?xi32, ["3B+1"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>, tensor<2x6xf32, ["head", "model"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %32 = "mom.softplus"(%31) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %33 = "mom.neg"(%32) : (tensor<?x2xf32, ["2T", "head"]>) -> tensor<?x2xf32, ["2T", "head"]>
  %34 = "mom.state"() {name = "h"} : () -> tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>
  %35, %36 = "mom.scan"(%15, %19, %23, %27, %33, %34, %11) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["3B+1"]>) -> (tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>)
  "mom.set_state"(%36) {name = "h"} : (tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>) -> ()
  %37 = "mom.scan_states"(%19, %23, %27, %33, %34, %11) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x2xf32, ["2T", "head"]>, tensor<?x3x2x4x3xf32, ["B", "memory", "head", "key", "value"]>, tensor<?xi32, ["3B+1"]>) -> tensor<?x2x4x3xf32, ["2T", "head", "key", "value"]>
  %38 = "mom.read_states"(%15, %37) {update_rule = @gated_delta_rule, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0>} : (tensor<?x2x4xf32, ["2T", "head", "key"]>, tensor<?x2x4x3xf32, ["2T", "head", "key", "value"]>) -> tensor<?x2x3xf32, ["2T", "head", "value"]>
  %39 = "mom.combine"(%38, %10, %6) : (tensor<?x2x3xf32, ["2T", "head", "value"]>, tensor<?x2xi32, ["T", "choice"]>, tensor<?x2xf32, ["T", "choice"]>) -> tensor<?x2x3xf32, ["T", "head", "value"]>
  "mom.output"(%39) {name = "y.0"} : (tensor<?x2x3xf32, ["T", "head", "value"]>) -> ()
}
